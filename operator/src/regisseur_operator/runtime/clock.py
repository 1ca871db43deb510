"""Wall time."""

from datetime import UTC, datetime


class SystemClock:
    """The port `Clock` of the machine."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)
