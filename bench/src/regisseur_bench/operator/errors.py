"""What ends a benchmark."""


class BenchError(Exception):
    """The benchmark cannot go on; says why in one line."""
