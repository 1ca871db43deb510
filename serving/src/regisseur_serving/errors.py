"""Everything that goes wrong on purpose.

    ServingError
    ├── SettingsError           the environment is not what a command needs
    ├── ModelError              the model folder cannot be served
    │   ├── LoadError           its estimator cannot be built here
    │   ├── PredictionError     its estimator does not predict as it should
    │   ├── RequirementsError   the image lacks what it was trained with
    │   └── SignatureError      callers of the served version cannot stay
    ├── InputError              a request holds something that the model cannot take
    └── FetchError              the store does not give the model
        ├── TransientFetchError it may go well in a moment
        ├── DeadlineError       the time for all of it is over
        ├── DeniedError         the store refuses these credentials
        ├── MissingError        the store answers, and nothing is there
        ├── UnservableError     what is there, or the place itself, is no model
        ├── DigestError         these are not the files that were expected
        └── DiskError           the pod's own volume cannot be written

Messages are one line, say what is wrong and what to do, and never hold data of a request.
"""

from dataclasses import dataclass
from http import HTTPStatus


class ServingError(Exception):
    """A mistake or a fault that a person is told about in one line."""


class SettingsError(ServingError):
    """An environment variable is missing or senseless."""


class ModelError(ServingError):
    """The model folder is broken, or of a kind that this server does not serve."""


class LoadError(ModelError):
    """The folder is in order, but its estimator cannot be built by this server."""


class PredictionError(ModelError):
    """The estimator was built, but it does not predict as its folder says."""


class RequirementsError(ModelError):
    """The model was trained with other packages than this image has."""


class SignatureError(ModelError):
    """Requests that the served version takes would be refused, or answered in another shape."""


class FetchError(ServingError):
    """The model cannot be downloaded; trying again at once does not help."""


class TransientFetchError(FetchError):
    """The artifact store did not answer as it should; the next attempt may succeed."""


class DeadlineError(FetchError):
    """The download took longer than it may."""


class DeniedError(FetchError):
    """The artifact store refuses these credentials, or wants some."""


class MissingError(FetchError):
    """The artifact store answers, and there is nothing at this place."""


class UnservableError(FetchError):
    """The place is none that can be read, or holds something that is no model folder."""


class DigestError(FetchError):
    """The files are not those that were expected."""


class DiskError(FetchError):
    """The pod's own volume cannot be written, or is full."""


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
