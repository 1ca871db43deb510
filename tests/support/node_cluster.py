"""The cluster with a node, for end-to-end tests."""
