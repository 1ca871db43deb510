"""What can go wrong, told apart by what the caller can do about it.

    OperatorError
    ├── TransientError        try again after `retry_after_seconds`
    │   ├── ConflictError     our picture of the object was old: read again, decide again
    │   └── UnreachableError  the other side did not answer or answered nonsense
    └── TerminalError         a person must act; `reason` and the message end in a condition

No framework type appears here: HTTP, kopf and MLflow errors are translated once, at their door.
"""


class OperatorError(Exception):
    """Root of everything the operator raises on purpose."""


class TransientError(OperatorError):
    """A fault that goes away by itself.

    Attributes:
        retry_after_seconds: When it is worth trying again; None leaves it to the back-off.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ConflictError(TransientError):
    """The object changed since it was read, or appeared before it was created."""


class UnreachableError(TransientError):
    """The API server or the registry cannot be reached or answers nonsense."""


class TerminalError(OperatorError):
    """A fault that stays until a person acts.

    Attributes:
        reason: The condition reason that names it.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
