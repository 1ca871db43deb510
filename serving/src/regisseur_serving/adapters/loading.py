"""From a model folder to a predictor that is warm."""

import logging
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from regisseur_contract.drift import NO_REFERENCE, DriftReference
from regisseur_serving.adapters.calibration import UNTRIED, Calibration, calibrate
from regisseur_serving.adapters.drift_reference import read_drift_reference
from regisseur_serving.adapters.model_folder import (
    Example,
    read_example,
    read_mlmodel,
    resolve_inside,
)
from regisseur_serving.core.inference import InferenceReader
from regisseur_serving.core.invocations import InvocationReader
from regisseur_serving.core.mlmodel import MLmodel
from regisseur_serving.core.params import parse_params
from regisseur_serving.core.profile import Profile, choose_predictions
from regisseur_serving.core.signature import ColumnType, Signature, recall_signature
from regisseur_serving.core.tables import RECORDS, ROWS, TableReader
from regisseur_serving.errors import InputError, PredictionError, Problem
from regisseur_serving.ports.predictor import Predictor, Table

_SHOWN_PROBLEMS = 3
_NO_SIGNATURE = (
    "the model has no signature: requests are taken by the columns that it was fitted with, of "
    "whatever types; log it with an input_example or a signature"
)
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
        return _request(self.example)

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


def load_model(folder: Path) -> LoadedModel:
    """Load the model of a folder and warm it up.

    Raises:
        ModelError: It cannot be served; a `LoadError` or a `PredictionError` from when its
            files turned out to be in order.
    """
    started = time.perf_counter()
    mlmodel = read_mlmodel(folder)
    path = resolve_inside(folder, mlmodel.model_file)
    example = read_example(folder, mlmodel)
    # Imports scikit-learn, which takes longer than all the rest: mistakes above are told first.
    from regisseur_serving.adapters import sklearn_model  # noqa: PLC0415
    from regisseur_serving.adapters.fitted_columns import recall_columns  # noqa: PLC0415

    estimator = sklearn_model.load_estimator(path)
    _compare_versions(mlmodel.sklearn_version, sklearn_model.SKLEARN_VERSION)
    if not mlmodel.signature.is_declared:
        _LOGGER.warning(_NO_SIGNATURE)
        mlmodel = replace(mlmodel, signature=recall_signature(*recall_columns(estimator)))
    reader = TableReader(mlmodel.signature)
    example = _form_example(example, mlmodel.signature)
    problem = _check_example(reader, example)
    example = [] if problem else example
    probe, rows = reader.read(_request(example)) if example else _build_probe(mlmodel.signature)
    predictor = sklearn_model.SklearnPredictor(estimator, mlmodel)
    calibration = UNTRIED
    try:
        predictor.warm_up(probe)
        calibration = calibrate(predictor, probe, rows)
    except PredictionError:
        if example:
            raise
        _LOGGER.warning("the model has no usable input example: it is neither tried nor warm")
        problem = problem or predictor.mismatch
    return LoadedModel(
        mlmodel=mlmodel,
        predictor=predictor,
        reader=reader,
        example=example,
        calibration=calibration,
        load_seconds=time.perf_counter() - started,
        takes_arrays=predictor.takes_arrays,
        problem=problem,
        drift_reference=read_drift_reference(folder, mlmodel.signature),
    )


def _form_example(example: Example, signature: Signature) -> Example:
    """Return an example as requests hold it: MLflow writes it as people gave it."""
    if not signature.has_names:
        return [list(row.values()) if isinstance(row, dict) else row for row in example]
    names = signature.names
    return [
        row if isinstance(row, dict) else dict(zip(names, row, strict=False)) for row in example
    ]


def _request(example: Example) -> dict[str, Example]:
    return {RECORDS if isinstance(example[0], dict) else ROWS: example}


def _check_example(reader: TableReader, example: Example) -> str:
    """Say why an example cannot be predicted; nothing when it can, or when there is none."""
    try:
        if example:
            reader.read(_request(example))
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
