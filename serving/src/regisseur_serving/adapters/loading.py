"""From a model folder to a predictor that is warm."""

import logging
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from regisseur_contract.drift import NO_REFERENCE, DriftReference
from regisseur_contract.engines import Engine
from regisseur_serving.adapters.calibration import UNTRIED, Calibration, calibrate
from regisseur_serving.adapters.drift_reference import read_drift_reference
from regisseur_serving.adapters.engines import choose_engine
from regisseur_serving.adapters.examples import form_example, request_example
from regisseur_serving.adapters.model_folder import (
    Example,
    read_example,
    read_mlmodel,
    resolve_inside,
)
from regisseur_serving.core.engine import NATIVE, EngineChoice
from regisseur_serving.core.inference import InferenceReader
from regisseur_serving.core.invocations import InvocationReader
from regisseur_serving.core.mlmodel import PICKLES, MLmodel, check_format
from regisseur_serving.core.params import parse_params
from regisseur_serving.core.profile import Profile, choose_predictions
from regisseur_serving.core.signature import ColumnType, Signature, recall_signature
from regisseur_serving.core.tables import TableReader
from regisseur_serving.errors import InputError, PredictionError, Problem
from regisseur_serving.ports.predictor import Predictor, Table

_SHOWN_PROBLEMS = 3
_RUNS_CODE = (
    "the model is serialized as %s: loading it runs whatever code is in it, as the policy of its "
    "registry allows"
)
_NO_SIGNATURE = (
    "the model has no signature: requests are taken by the columns that it was fitted with, of "
    "whatever types; log it with an input_example or a signature"
)
Estimator: TypeAlias = Any
"""Of scikit-learn, which is imported when it is needed."""

_LOGGER = logging.getLogger("regisseur_serving.loading")


@dataclass(frozen=True)
class LoadedModel:
    """A model that has predicted its example.

    Attributes:
        mlmodel: What its folder says.
        predictor: What predicts.
        reader: Reads request bodies for its signature.
        example: Rows that it predicts, objects or lists of values; empty when the folder has no
            usable example.
        calibration: How long its calls take, and what was found out beside.
        load_seconds: Time from the first byte read to being warm.
        takes_arrays: Whether requests reach it without a DataFrame.
        problem: Why it cannot answer what its folder says that it takes; empty when nothing is
            known. A server serves such a model all the same, as some of it may work.
        drift_reference: The bins that came with it.
        engine: What makes the predictions, and why not what was asked for.
    """

    mlmodel: MLmodel
    predictor: Predictor
    reader: TableReader
    example: Example
    calibration: Calibration
    load_seconds: float
    takes_arrays: bool
    problem: str = ""
    drift_reference: DriftReference = NO_REFERENCE

    @property
    def example_request(self) -> dict[str, Example]:
        """The body of a request to `/predict` that holds the example."""
        return request_example(self.example)

    engine: EngineChoice = NATIVE

    @cached_property
    def inference(self) -> InferenceReader:
        """Reads requests of the Open Inference Protocol."""
        has_probabilities = self.predictor.classes is not None
        return InferenceReader(self.mlmodel.signature, has_probabilities=has_probabilities)

    @cached_property
    def invocations(self) -> InvocationReader:
        """Reads request bodies of MLflow's scoring protocol."""
        params = parse_params(self.mlmodel.signature_document.get("params"))
        return InvocationReader(self.mlmodel.signature, params)

    @cached_property
    def profile(self) -> Profile:
        """Counts what it is sent and what it answers."""
        reference = self.drift_reference
        if not reference.predictions:
            answers_classes = self.mlmodel.predict_method == "predict"
            predictions = choose_predictions(
                None if self.calibration.sample is None else self.calibration.sample.values,
                self.predictor.classes if answers_classes else None,
            )
            reference = replace(reference, predictions=predictions)
        return Profile(self.mlmodel.signature, reference)


def load_model(
    folder: Path, engine: Engine = Engine.NATIVE, *, trusts_pickle: bool = False
) -> LoadedModel:
    """Load the model of a folder and warm it up.

    Args:
        folder: The one with the file MLmodel.
        engine: What is to make the predictions, if it can.
        trusts_pickle: Whether a model may run code while it is loaded.

    Raises:
        ModelError: It cannot be served; a `LoadError` or a `PredictionError` from when its
            files turned out to be in order.
    """
    started = time.perf_counter()
    mlmodel = read_mlmodel(folder)
    check_format(mlmodel, trusts_pickle=trusts_pickle)
    path = resolve_inside(folder, mlmodel.model_file)
    example = read_example(folder, mlmodel)
    estimator = None
    if not mlmodel.signature.is_declared:
        estimator = _load_estimator(path, mlmodel)
        mlmodel = replace(mlmodel, signature=_recall_signature(estimator))
    entrance = _build_entrance(example, mlmodel.signature)
    choice, converted = choose_engine(folder, engine, entrance.probe)
    if converted is None:
        estimator = estimator or _load_estimator(path, mlmodel)
        opened = _open_native(estimator, mlmodel, entrance)
    else:
        calibration = calibrate(converted, entrance.probe, entrance.rows)
        opened = _Opened(converted, calibration, takes_arrays=True, problem=entrance.problem)
    return LoadedModel(
        mlmodel=mlmodel,
        predictor=opened.predictor,
        reader=entrance.reader,
        example=entrance.example,
        calibration=opened.calibration,
        load_seconds=time.perf_counter() - started,
        takes_arrays=opened.takes_arrays,
        problem=opened.problem,
        drift_reference=read_drift_reference(folder, mlmodel.signature),
        engine=choice,
    )


# ---- what requests look like -------------------------------------------------------------------


@dataclass(frozen=True)
class _Entrance:
    """How a model is asked, and something to ask it.

    Attributes:
        example: Empty when there is no usable one.
        problem: Why the example that is there is of no use.
        probe: The example, or a row of plain values.
        rows: How many the probe has.
    """

    reader: TableReader
    example: Example
    problem: str
    probe: Table
    rows: int


def _build_entrance(found: Example, signature: Signature) -> _Entrance:
    reader = TableReader(signature)
    formed = form_example(found, signature)
    problem = _check_example(reader, formed)
    example: Example = [] if problem else formed
    probe, rows = reader.read(request_example(example)) if example else _build_probe(signature)
    return _Entrance(reader, example, problem, probe, rows)


# ---- scikit-learn, which takes longer to import than all the rest: mistakes are told before ----


@dataclass(frozen=True)
class _Opened:
    """A predictor that is warm."""

    predictor: Predictor
    calibration: Calibration
    takes_arrays: bool
    problem: str


def _load_estimator(path: Path, mlmodel: MLmodel) -> Estimator:
    from regisseur_serving.adapters import sklearn_model  # noqa: PLC0415

    if mlmodel.serialization_format in PICKLES:
        _LOGGER.warning(_RUNS_CODE, mlmodel.serialization_format)
        estimator = sklearn_model.unpickle_estimator(path)
    else:
        estimator = sklearn_model.load_estimator(path)
    _compare_versions(mlmodel.sklearn_version, sklearn_model.SKLEARN_VERSION)
    return estimator


def _recall_signature(estimator: Estimator) -> Signature:
    """Ask the estimator of a model without a signature what it was fitted with."""
    from regisseur_serving.adapters.fitted_columns import recall_columns  # noqa: PLC0415

    _LOGGER.warning(_NO_SIGNATURE)
    return recall_signature(*recall_columns(estimator))


def _open_native(estimator: Estimator, mlmodel: MLmodel, entrance: _Entrance) -> _Opened:
    from regisseur_serving.adapters import sklearn_model  # noqa: PLC0415

    predictor = sklearn_model.SklearnPredictor(estimator, mlmodel)
    calibration, problem = UNTRIED, entrance.problem
    try:
        predictor.warm_up(entrance.probe)
        calibration = calibrate(predictor, entrance.probe, entrance.rows)
    except PredictionError:
        if entrance.example:
            raise
        _LOGGER.warning("the model has no usable input example: it is neither tried nor warm")
        problem = problem or predictor.mismatch
    return _Opened(predictor, calibration, predictor.takes_arrays, problem)


def _check_example(reader: TableReader, example: Example) -> str:
    """Say why an example cannot be predicted; nothing when it can, or when there is none."""
    try:
        if example:
            reader.read(request_example(example))
    except InputError as error:
        found = "; ".join(_describe(problem) for problem in error.problems[:_SHOWN_PROBLEMS])
        _LOGGER.warning("the model's input example does not fit its signature: %s", found)
        return (
            f"the model's input example does not fit its signature ({found}); log the model with "
            "a signature and an input_example of what it takes"
        )
    return ""


def _describe(problem: Problem) -> str:
    return f"{'.'.join(str(part) for part in problem.location[1:])}: {problem.message}"


def _build_probe(signature: Signature) -> tuple[Table, int]:
    """Return a row of plain values, for a model without a usable example."""
    if ColumnType.STRING not in signature.types:
        return np.ones((1, len(signature.columns))), 1
    zeros = {"string": "", "boolean": False}
    return {column.name: [zeros.get(column.type, 1)] for column in signature.columns}, 1


def _compare_versions(written_with: str, here: str) -> None:
    if written_with.split(".")[:2] != here.split(".")[:2]:
        _LOGGER.warning(
            "the model was written with scikit-learn %s and is served with %s; "
            "its predictions may differ",
            written_with or "(unknown)",
            here,
        )
