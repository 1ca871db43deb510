"""What the server needs from the outside, without saying who provides it."""
