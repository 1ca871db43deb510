"""The HTTP surface: routes, their documentation, and what all answers have in common."""
