"""A real single-node Kubernetes on a plain Debian machine, for the demo and the tests."""
