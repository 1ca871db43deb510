"""The process that explains: from questions on its input to answers on its output.

It is a process of its own because the library holds the interpreter for as long as it computes, and
because whatever it takes too much of, time or memory, can then be taken away from it.
"""

import logging
import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import orjson
from threadpoolctl import threadpool_limits

from regisseur_serving.adapters.explaining_messages import HEAD, Kind, Message
from regisseur_serving.adapters.process_limits import end_with, limit_memory, step_back
from regisseur_serving.core.explaining import NO_LIBRARY, TooManyRowsError, UnexplainableError
from regisseur_serving.errors import ModelError
from regisseur_serving.ports.predictor import Table
from regisseur_serving.telemetry import configure_logging

if TYPE_CHECKING:
    from regisseur_serving.adapters.model_explainer import ModelExplainer

_LOGGER = logging.getLogger("regisseur_serving.explaining")

_NICENESS: Final = 5
_MOST_MEMORY_BYTES: Final = 512 << 20
"""What explanations may take, beside the libraries and the model."""


def main() -> None:
    """Load the model, then answer until nobody asks any more."""
    model_dir, budget, trusts_pickle, parent = sys.argv[1:]
    end_with(int(parent))
    step_back(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the server as well
    output = _keep_output()
    configure_logging()
    logging.getLogger("regisseur_serving.loading").disabled = True  # the server has said it
    warnings.simplefilter("ignore")  # they quote values
    try:
        explainer = _open(Path(model_dir), float(budget), trusts_pickle=trusts_pickle == "True")
    except (ModelError, UnexplainableError) as error:
        _send(output, Kind.UNEXPLAINABLE, str(error).encode())
        return
    limit_memory(_MOST_MEMORY_BYTES)
    _send(output, Kind.READY, explainer.method.encode())
    while head := sys.stdin.buffer.read(HEAD.size):
        table = pickle.loads(sys.stdin.buffer.read(HEAD.unpack(head)[1]))  # noqa: S301 - of the server
        _send(output, *_answer(explainer.explain, table))


def _open(folder: Path, budget_seconds: float, *, trusts_pickle: bool) -> "ModelExplainer":
    """Load a model to explain it.

    Raises:
        ModelError: It cannot be loaded.
        UnexplainableError: It cannot be explained.
    """
    try:
        from regisseur_serving.adapters import model_explainer  # noqa: PLC0415

        threadpool_limits(1)  # a pod has one core for all of it
        return model_explainer.ModelExplainer(
            folder, budget_seconds=budget_seconds, trusts_pickle=trusts_pickle
        )
    except (ModelError, UnexplainableError):
        raise
    except ImportError:
        raise UnexplainableError(NO_LIBRARY) from None
    except Exception as error:  # noqa: BLE001 - the estimator is anybody's
        # What it says may quote the example.
        raise UnexplainableError(f"trying to has failed ({type(error).__name__})") from None


def _keep_output() -> BinaryIO:
    """Return the output, and let whatever a model or a library prints go to the log instead."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return output


def _send(output: BinaryIO, kind: Kind, content: bytes) -> None:
    output.write(Message(kind, content).write())
    output.flush()


def _answer(explain: Callable[[Table], dict[str, Any]], table: Table) -> tuple[Kind, bytes]:
    try:
        return Kind.ANSWER, orjson.dumps(explain(table), option=orjson.OPT_SERIALIZE_NUMPY)
    except TooManyRowsError as error:
        text = f"At most {error.most} rows can be explained within the budget; send fewer at a time"
        return _refuse("too_many_rows", text)
    except MemoryError:
        return _refuse("too_many_rows", "The explanation takes too much memory; send fewer rows")
    except Exception as error:  # noqa: BLE001 - the estimator is anybody's
        # What it says quotes the data, so it goes nowhere.
        _LOGGER.error("the model refused to be explained (%s)", type(error).__name__)  # noqa: TRY400
        return _refuse("model_refused", "The model's answers to these values cannot be explained")


def _refuse(kind: str, message: str) -> tuple[Kind, bytes]:
    return Kind.REFUSAL, orjson.dumps({"kind": kind, "message": message})


if __name__ == "__main__":
    main()
