"""The HTTP surface: routes, their documentation, draining and measuring."""
