"""The conversion itself, in a process of its own: whatever becomes of it, somebody is left to tell.

Run by the command `convert` as `python -m regisseur_serving.app.conversion`.
"""

import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from regisseur_contract.engines import Engine
from regisseur_serving.adapters.examples import form_example, request_example
from regisseur_serving.adapters.model_folder import read_example, read_mlmodel, resolve_inside
from regisseur_serving.adapters.onnx_outcome import (
    OnnxFacts,
    Outcome,
    onnx_file,
    onnx_folder,
    write_outcome,
)
from regisseur_serving.core.engine import EngineChoice, Fallback, FallbackError, fall_back
from regisseur_serving.core.mlmodel import PICKLES, MLmodel
from regisseur_serving.core.probes import Rows
from regisseur_serving.core.tables import TableReader
from regisseur_serving.errors import InputError, ModelError, ServingError

_PREDICT = "predict"
_LEAST_STEPS = 1000
"""Numbers of 32 bits that the values of an example have to span."""


def main() -> int:
    """Convert the model of a folder; the outcome is in the file, not in the exit code."""
    model_dir, memory_bytes = Path(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    started = time.perf_counter()
    try:
        outcome = convert_model(model_dir, started)
    except FallbackError as error:
        outcome = Outcome(fall_back(error), seconds=time.perf_counter() - started)
    except MemoryError:
        reason = f"the conversion to ONNX wanted more than {memory_bytes >> 20} MiB of memory"
        outcome = Outcome(EngineChoice(Engine.NATIVE, Fallback.CONVERSION_DIED, reason))
    write_outcome(onnx_folder(model_dir), outcome)
    return 0


def convert_model(model_dir: Path, started: float) -> Outcome:
    """Convert the model of a folder, compare it with itself, and keep it.

    Raises:
        FallbackError: It cannot be served by ONNX.
    """
    try:
        mlmodel = read_mlmodel(model_dir)
        example = _read_rows(model_dir, mlmodel)
        path = resolve_inside(model_dir, mlmodel.model_file)
        return _convert(mlmodel, path, example, onnx_file(onnx_folder(model_dir)), started)
    except ServingError as error:
        # Its own engine is going to fail by it as well, and says so with the right word.
        raise FallbackError(Fallback.CONVERSION_FAILED, str(error)) from None


def _read_rows(model_dir: Path, mlmodel: MLmodel) -> Rows:
    if mlmodel.serialization_format in PICKLES:
        raise _unsupported("the model is pickled; ONNX is made of models in skops format only")
    if not mlmodel.signature.is_declared:
        raise _unsupported("the model has no signature; log it with one")
    if mlmodel.predict_method != _PREDICT:
        raise _unsupported(f"the model answers {mlmodel.predict_method}; ONNX serves predict only")
    if not mlmodel.signature.is_numeric:
        raise _unsupported("the model takes text; ONNX serves numbers only")
    example = form_example(read_example(model_dir, mlmodel), mlmodel.signature)
    try:
        if example:
            table, _ = TableReader(mlmodel.signature).read(request_example(example))
            rows = np.asarray(table, np.float64)
            _check_spacing(rows, mlmodel.signature.names)
            return rows
    except InputError as error:
        raise ModelError("the model's input example does not fit its signature") from error
    raise _unsupported("the model has no input example to compare with; log one")


def _check_spacing(rows: Rows, names: Sequence[str]) -> None:
    """Refuse columns whose values are close together, and far from zero.

    Points in time are such: what a pipeline takes away from them first is lost in 32 bits, and no
    sample of rows shows where.
    """
    spans = np.nanmax(rows, axis=0) - np.nanmin(rows, axis=0)
    singles = rows.astype(np.float32)
    steps = np.spacing(np.nanmax(np.abs(singles), axis=0)).astype(np.float64)
    are_exact = ((singles == rows) | np.isnan(rows)).all(axis=0)
    for name, span, step, is_exact in zip(names, spans, steps, are_exact, strict=True):
        if not is_exact and 0 < span < step * _LEAST_STEPS:
            raise _unsupported(f"32 bits are too few for the values of column {name!r}")


def _convert(mlmodel: MLmodel, path: Path, example: Rows, target: Path, started: float) -> Outcome:
    from regisseur_serving.adapters.sklearn_model import (  # noqa: PLC0415 - what is cheap comes first
        SklearnPredictor,
        load_estimator,
    )

    try:
        from regisseur_serving.adapters import onnx_conversion, onnx_model  # noqa: PLC0415
    except ImportError:
        reason = "the image has no ONNX; build it with --build-arg EXTRAS=onnx"
        raise FallbackError(Fallback.NOT_INSTALLED, reason) from None
    from regisseur_serving.core.parity import compare  # noqa: PLC0415

    estimator = load_estimator(path)
    native = SklearnPredictor(estimator, mlmodel)
    native.warm_up(example)
    answer = np.asarray(native.predict(example).values)
    if native.classes is not None and answer.ndim > 1:
        raise _unsupported("the model answers several labels a row; ONNX serves one")
    content = onnx_conversion.convert(estimator, mlmodel.signature)

    def describe(takes_missing: tuple[bool, ...]) -> OnnxFacts:
        classes: list[Any] | None = list(native.classes) if native.classes is not None else None
        return OnnxFacts(answer.dtype.str, classes, answer.ndim == 1, takes_missing)

    parity = compare(
        native,
        lambda takes_missing: onnx_model.OnnxPredictor(content, describe(takes_missing)),
        mlmodel.signature,
        example,
        onnx_conversion.find_thresholds(estimator),
    )
    target.write_bytes(content)
    return Outcome(
        EngineChoice(Engine.ONNX),
        describe(parity.takes_missing),
        seconds=time.perf_counter() - started,
        rows=parity.rows,
    )


def _unsupported(reason: str) -> FallbackError:
    return FallbackError(Fallback.UNSUPPORTED, reason)


if __name__ == "__main__":
    sys.exit(main())
