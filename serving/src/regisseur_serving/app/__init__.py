"""The three commands of the image, put together from the layers below."""
