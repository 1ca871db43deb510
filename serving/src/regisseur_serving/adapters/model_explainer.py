"""Explain the model of a folder, within a budget of time."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from regisseur_serving.adapters.exact_shares import ExactWay, find_exact_way
from regisseur_serving.adapters.examples import form_example, request_example
from regisseur_serving.adapters.loading import LoadedModel, load_model
from regisseur_serving.adapters.masking import Background, count_rows, cut
from regisseur_serving.adapters.model_folder import Example, read_example
from regisseur_serving.adapters.model_outputs import Output, list_outputs
from regisseur_serving.adapters.permuted_shares import PermutationWay
from regisseur_serving.adapters.sklearn_model import SklearnPredictor
from regisseur_serving.core.explaining import (
    LIKELY_SHARE,
    MOST_BACKGROUND_ROWS,
    Explanation,
    Pace,
    UnexplainableError,
    choose_background,
    count_evaluations,
    list_declared,
    name_outputs,
)
from regisseur_serving.core.signature import ColumnType
from regisseur_serving.errors import InputError
from regisseur_serving.ports.predictor import Table

_MEASUREMENTS: Final = 3


class ModelExplainer:
    """Explains one model: exactly if that can be done, else by trying.

    Args:
        folder: The model's.
        budget_seconds: What one request may take.
        trusts_pickle: Whether the model may run code while it is loaded.

    Raises:
        ModelError: It cannot be loaded.
        UnexplainableError: It cannot be explained.
    """

    def __init__(self, folder: Path, *, budget_seconds: float, trusts_pickle: bool) -> None:
        self._loaded = loaded = load_model(folder, trusts_pickle=trusts_pickle)
        assert isinstance(loaded.predictor, SklearnPredictor)  # noqa: S101 - the native engine
        self._predictor = loaded.predictor
        self._budget_seconds = budget_seconds
        self._names = loaded.mlmodel.signature.names
        if [column.type for column in loaded.mlmodel.signature.columns] == [ColumnType.STRING]:
            raise UnexplainableError("the model takes one text a row, and shares are of columns")
        background = _read_background(folder, loaded)
        found = self._find_exact(background) or self._find_permutation(background)
        self._way: ExactWay | PermutationWay = found[0]
        self._pace = found[1]
        if not self._pace.most_rows:
            raise UnexplainableError(
                f"one row takes about {self._pace.row_seconds:.2g} s, and only {LIKELY_SHARE:.0%} "
                f"of the budget of {budget_seconds:g} s are planned with; raise the budget"
            )

    @property
    def method(self) -> str:
        """How the model is explained."""
        return self._way.method

    def explain(self, table: Table) -> dict[str, Any]:
        """Return the explanation of every row, as it is answered.

        Raises:
            ValueError: The model refuses the rows.
            TooManyRowsError: They do not fit the budget.
            InexactError: The shares would not be of what the model answers.
        """
        rows = count_rows(table)
        self._pace.check(rows)
        predictions = self._predictor.predict(table).values
        if isinstance(self._way, ExactWay):
            explanation = self._way.explain(table)
        else:
            explanation = self._way.explain(table, self._pace.choose_passes(rows))
        return self._describe(explanation) | {"predictions": predictions}

    def _describe(self, explanation: Explanation) -> dict[str, Any]:
        output = self._way.output
        found = getattr(output.predictor.estimator, "classes_", None)
        classes = found.tolist() if isinstance(found, np.ndarray) else None
        declared = list_declared(self._loaded.mlmodel.signature_document)
        return {
            "method": self._way.method,
            "explained": output.explained,
            "feature_names": self._names,
            "output_names": name_outputs(len(explanation.base_values), classes, declared),
            "base_values": explanation.base_values,
            "values": np.ascontiguousarray(explanation.values),
        }

    # ---- what can be done, and how quickly ----

    def _find_exact(self, background: Table | None) -> tuple[ExactWay, Pace] | None:
        probe = np.ones((1, len(self._names))) if background is None else background
        try:
            outputs = self._list_outputs(probe)
        except UnexplainableError:
            return None
        way = find_exact_way(self._predictor, outputs, probe, background)
        if way is None:
            return None
        values = way.explain(probe).values
        row_seconds = _measure(lambda: way.explain(probe)) / len(values)
        return way, Pace(row_seconds, values[0].size, self._budget_seconds)

    def _find_permutation(self, background: Table | None) -> tuple[PermutationWay, Pace]:
        if background is None:
            raise UnexplainableError(
                "the model has no input example to compare rows with; log one with input_example="
            )
        output = self._list_outputs(background)[0]
        columns = len(self._names)
        rows = choose_background(count_rows(background), columns)
        way = PermutationWay(output, Background(cut(background, 0, rows), self._names))
        row = cut(background, 0, 1)
        row_seconds = self._loaded.calibration.estimate_seconds(count_evaluations(columns) * rows)
        # What takes far too long is not tried, only to find out that it does.
        if row_seconds < self._budget_seconds or not math.isfinite(row_seconds):
            row_seconds = _measure(lambda: way.try_pass(row))
        return way, Pace(row_seconds, columns * output.answer(row).size, self._budget_seconds)

    def _list_outputs(self, probe: Table) -> list[Output]:
        return list_outputs(self._predictor, self._loaded.mlmodel.predict_method, probe)


def _read_background(folder: Path, loaded: LoadedModel) -> Table | None:
    """Return what the model usually gets: the rows of its example that a request could hold."""
    found = read_example(folder, loaded.mlmodel, rows=MOST_BACKGROUND_ROWS)
    formed = form_example(found, loaded.mlmodel.signature)
    rows = [row for row in formed if _is_request(loaded, [row])]
    return loaded.reader.read(request_example(rows))[0] if rows else None


def _is_request(loaded: LoadedModel, rows: Example) -> bool:
    try:
        loaded.reader.read(request_example(rows))
    except InputError:
        return False
    return True


def _measure(work: Callable[[], object]) -> float:
    """Return the time of the quickest of a few: the others had to wait."""
    times = []
    for _ in range(_MEASUREMENTS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)
