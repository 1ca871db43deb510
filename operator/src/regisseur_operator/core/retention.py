"""Which saved revisions are let go."""

from collections.abc import Collection, Sequence


def find_outdated(
    numbers: Sequence[int], limit: int, kept: Collection[int], proven: Collection[int]
) -> tuple[int, ...]:
    """Return the revisions to delete, those that are missed least first.

    Args:
        numbers: Those that are saved.
        limit: How many stay beside those that are kept anyway.
        kept: Those that are in use or asked for: they stay however old they are, and take no
            other's place.
        proven: Those that were complete once: they go last, the oldest first. What failed again
            and again would push out what one wants to go back to.
    """
    spare = sorted(set(numbers) - set(kept), key=lambda number: (number in proven, number))
    return tuple(spare[: max(len(spare) - limit, 0)])
