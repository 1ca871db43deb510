"""What the server takes on, so that nothing that is sent to it can hurt it."""

from dataclasses import dataclass

from regisseur_contract.runtime import BATCH_MAX_ROWS


@dataclass(frozen=True)
class Limits:
    """Upper bounds for requests.

    Attributes:
        max_body_bytes: Of one body, unpacked; a larger one is answered with 413.
        body_timeout_seconds: Time in which a body must arrive; later, 408.
        max_rows: Of one request; more are answered with 413.
        max_requests: Requests that may be in work at a time; the next is answered with 429.
        max_held_bytes: What the bodies of all of them may have together; over it, 429.
        max_queue_seconds: Time that what waits will take the model; as long as it is more, 429.
        queue_timeout_seconds: Time that a request waits for the model; later, 504.
        batch_max_rows: Rows that are predicted in one call; 1 predicts each request alone.
    """

    max_body_bytes: int = 16 << 20
    body_timeout_seconds: float = 30.0
    max_rows: int = 65_536
    max_requests: int = 4096
    max_held_bytes: int = 64 << 20
    max_queue_seconds: float = 2.0
    queue_timeout_seconds: float = 10.0
    batch_max_rows: int = BATCH_MAX_ROWS
