"""Decisions and arithmetic of training: values in, values out, no files and no registry."""
