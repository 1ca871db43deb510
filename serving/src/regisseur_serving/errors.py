"""Everything that goes wrong on purpose.

    ServingError
    ├── ModelError              the model folder cannot be served
    ├── InputError              a request holds something that the model cannot take
    └── FetchError              the model cannot be downloaded
        ├── TransientFetchError it may go well in a moment
        └── DeadlineError       the time for all of it is over

Messages are one line, say what is wrong and what to do, and never hold data of a request.
"""

from dataclasses import dataclass
from http import HTTPStatus


class ServingError(Exception):
    """A mistake or a fault that a person is told about in one line."""


class ModelError(ServingError):
    """The model folder is broken, or of a kind that this server does not serve."""


class FetchError(ServingError):
    """The model cannot be downloaded; trying again does not help by itself."""


class TransientFetchError(FetchError):
    """The artifact store did not answer as it should; the next attempt may succeed."""


class DeadlineError(FetchError):
    """The download took longer than it may."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request, in the shape that FastAPI reports it."""

    location: tuple[str | int, ...]
    kind: str
    message: str


class InputError(ServingError):
    """A request cannot be answered; says every reason, up to a limit."""

    def __init__(
        self, *problems: Problem, status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
    ) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems
        self.status = status
