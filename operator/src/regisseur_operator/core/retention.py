"""Which saved revisions are let go."""

from collections.abc import Collection, Sequence


def find_outdated(numbers: Sequence[int], limit: int, kept: Collection[int]) -> tuple[int, ...]:
    """Return the revisions to delete, the oldest first.

    Args:
        numbers: Those that are saved.
        limit: How many of the newest stay beside those that are kept anyway.
        kept: Those that are in use or asked for: they stay however old they are, and take no
            other's place.
    """
    spare = sorted(set(numbers) - set(kept))
    return tuple(spare[: max(len(spare) - limit, 0)])
