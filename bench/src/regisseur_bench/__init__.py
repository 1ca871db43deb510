"""Measurements side by side with the peers: ratios of one run, never figures of two."""
