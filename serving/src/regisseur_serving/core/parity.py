"""Whether a converted model answers as the model itself does.

The rule, over all rows of `probes`:

- classes with probabilities: every probability within 1e-5 of the model's own, and the same label
  wherever the model's two likeliest classes are more than 2e-5 apart. Closer together than that,
  32 bits cannot tell which is the likelier, and neither answer is better than the other;
- classes without probabilities: the same label everywhere;
- numbers: within 1e-5 of the model's own answer, as a share of it or of the median size of all its
  answers, whichever is larger;
- missing numbers: where the model refuses a missing value in a column, so does the converted one,
  by a check of ours, as ONNX would answer in silence. Where the model answers, the converted one
  has to answer the same in a column that may be missing; in one that is required it may refuse.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from regisseur_serving.core.engine import Fallback, FallbackError
from regisseur_serving.core.probes import Answers, Probes, Rows
from regisseur_serving.core.signature import Signature
from regisseur_serving.ports.predictor import Prediction, Predictor

PROBABILITY_BOUND: Final = 1e-5
LABEL_MARGIN: Final = 2e-5
VALUE_BOUND: Final = 1e-5

Thresholds = Iterable[tuple[int, float]]


@dataclass(frozen=True)
class Parity:
    """What a comparison found.

    Attributes:
        rows: How many rows were compared.
        takes_missing: By column, whether a missing number may go to the converted model.
    """

    rows: int
    takes_missing: tuple[bool, ...]


def compare(
    native: Predictor,
    convert: Callable[[tuple[bool, ...]], Predictor],
    signature: Signature,
    example: Rows,
    thresholds: Thresholds,
) -> Parity:
    """Compare a model with its converted self.

    Args:
        native: The model.
        convert: Returns the converted model, given by column whether it takes missing numbers.
        signature: The columns; all of them numbers.
        example: Rows that the model predicts.
        thresholds: Columns by number, and values at which the model decides, as far as is known.

    Raises:
        FallbackError: The two do not answer the same.
    """
    probes = Probes(signature, example)
    near = probes.near()
    groups = [("like its example", near), ("far off", probes.extremes())]
    groups.append(("around thresholds", probes.around(thresholds)))
    groups.append(("between answers", probes.border(near, lambda rows: _answer(native, rows))))
    converted = convert((False,) * len(signature.columns))
    for place, rows in groups:
        if len(rows):
            _compare_rows(_ask(native, rows), _ask(converted, rows), f"rows {place}")
    takes = _compare_gaps(native, convert((True,) * len(signature.columns)), signature, probes)
    return Parity(sum(len(rows) for _, rows in groups), takes)


def _compare_gaps(
    native: Predictor, converted: Predictor, signature: Signature, probes: Probes
) -> tuple[bool, ...]:
    takes = [False] * len(signature.columns)
    for index, rows in probes.with_gaps():
        try:
            before = _ask(native, rows)
        except ValueError:
            continue
        try:
            place = f"rows without {signature.names[index][:80]!r}"
            _compare_rows(before, _ask(converted, rows), place)
        except (FallbackError, ValueError) as error:
            if not signature.columns[index].is_required:
                raise _fail("rows with missing numbers", str(error)) from None
        else:
            takes[index] = True
    return tuple(takes)


def _ask(predictor: Predictor, rows: Rows) -> Prediction:
    with_probabilities = predictor.classes is not None
    return predictor.predict(rows, with_probabilities=with_probabilities)


def _answer(predictor: Predictor, rows: Rows) -> Answers:
    return np.asarray(predictor.predict(rows).values)


def _has_labels(prediction: Prediction) -> bool:
    return prediction.probabilities is not None or np.asarray(prediction.values).dtype.kind != "f"


def _compare_rows(native: Prediction, converted: Prediction, place: str) -> None:
    """Raise a `FallbackError` unless the answers agree."""
    before, after = np.asarray(native.values), np.asarray(converted.values)
    if before.shape != after.shape:
        raise _fail(place, f"answers of shape {after.shape} instead of {before.shape}")
    if not _has_labels(native):
        _compare_values(before, after, place)
        return
    is_clear = np.full(len(before), fill_value=True)
    if native.probabilities is not None and converted.probabilities is not None:
        _compare_probabilities(native.probabilities, converted.probabilities, place)
        ordered = np.sort(native.probabilities, axis=1)
        is_clear = ordered[:, -1] - ordered[:, -2] > LABEL_MARGIN
    changed = np.count_nonzero((before != after) & is_clear)
    if changed:
        raise _fail(place, f"{changed} of {len(before)} labels differ")


def _compare_probabilities(before: Rows, after: Rows, place: str) -> None:
    if before.shape != after.shape:
        raise _fail(place, f"probabilities of shape {after.shape} instead of {before.shape}")
    worst = float(np.abs(before - after).max())
    if not worst <= PROBABILITY_BOUND:
        raise _fail(place, f"a probability differs by {worst:.1g}, allowed is {PROBABILITY_BOUND}")


def _compare_values(before: Answers, after: Answers, place: str) -> None:
    allowed = VALUE_BOUND * np.maximum(np.abs(before), np.median(np.abs(before)))
    difference = np.abs(before - after)
    bad = np.count_nonzero(~(difference <= allowed))
    if bad:
        share = float((difference / np.maximum(allowed, np.finfo(float).tiny)).max()) * VALUE_BOUND
        found = f"{bad} of {len(before)} answers differ, by {share:.1g} of their size at most"
        raise _fail(place, f"{found}, allowed is {VALUE_BOUND}")


def _fail(place: str, found: str) -> FallbackError:
    return FallbackError(Fallback.PARITY_FAILED, f"ONNX answers otherwise: {place}: {found}")
