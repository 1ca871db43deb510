"""Counts of what is sent and answered: they hold every row once, whatever the requests were."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regisseur_contract.drift import (
    NO_REFERENCE,
    Bins,
    Categories,
    DriftReference,
    Edges,
    describe_drift_reference,
)
from regisseur_serving.adapters.drift_reference import read_drift_reference
from regisseur_serving.core.profile import BLOCK_ROWS, DEFAULT_EDGES, Profile, choose_predictions
from regisseur_serving.core.signature import Column, ColumnType, Signature
from regisseur_serving.ports.predictor import Numbers, Prediction, Table
from support.adding_server import GOOD, Adder, Server, served

NUMBERS = Signature((Column("a", ColumnType.DOUBLE), Column("b", ColumnType.LONG)))
MIXED = Signature((Column("a", ColumnType.DOUBLE), Column("c", ColumnType.STRING)))
EDGES = Edges((0.0, 1.0, 10.0))
LABELS = Categories((0, 1))


def profile_of(signature: Signature, prediction: Bins = LABELS, **features: Bins) -> Profile:
    return Profile(signature, DriftReference(features, (prediction,)))


# ---- the bins --------------------------------------------------------------------------------


def test_a_value_on_an_edge_belongs_above_it_and_none_is_lost() -> None:
    profile = profile_of(NUMBERS, a=EDGES)
    values = [-1.0, 0.0, 0.5, 1.0, 9.9, 10.0, 1e300, math.inf, -math.inf, math.nan]
    table = np.array([[value, 0] for value in values])
    profile.observe(table, Prediction(np.zeros(len(values), np.int64)))
    told = profile.describe()["features"]["a"]
    assert told == {"edges": [0.0, 1.0, 10.0], "counts": [2, 2, 2, 3], "missing": 1}


def test_columns_of_text_and_missing_values_are_counted() -> None:
    profile = profile_of(MIXED, a=EDGES, c=Categories(("red", "blue")))
    table: Table = {"a": [0.5, None, True], "c": ["red", None, "green"]}
    profile.observe(table, Prediction(np.array([1, 1, 7])))
    told = profile.describe()
    assert told["features"]["a"] == {"edges": [0, 1, 10], "counts": [0, 1, 1, 0], "missing": 1}
    assert told["features"]["c"] == {
        "categories": ["red", "blue"],
        "counts": [1, 0],
        "other": 1,
        "missing": 1,
    }
    assert told["predictions"] == [
        {"categories": [0, 1], "counts": [0, 2], "other": 1, "missing": 0}
    ]


def test_the_second_column_is_not_taken_for_the_first() -> None:
    profile = profile_of(NUMBERS, b=EDGES)
    profile.observe(np.array([[-1.0, 5.0]]), Prediction(np.array([1])))
    assert profile.describe()["features"]["b"]["counts"] == [0, 0, 1, 0]


@given(st.lists(st.integers(1, 3 * BLOCK_ROWS), max_size=8), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_counts_do_not_depend_on_how_rows_came(sizes: list[int], seed: int) -> None:
    rows = sum(sizes)
    random = np.random.default_rng(seed)
    table = random.normal(3, 4, (rows, 2))
    table[random.random((rows, 2)) < 0.1] = math.nan
    labels = random.integers(0, 3, rows)
    alone, together = (profile_of(NUMBERS, a=EDGES, b=LABELS) for _ in range(2))
    together.observe(table, Prediction(labels))
    start = 0
    for size in sizes:
        part = slice(start, start + size)
        alone.observe(table[part], Prediction(labels[part]))
        start += size
    told = alone.describe()
    assert told == together.describe()
    assert told["rows"] == rows
    for counted in (*told["features"].values(), *told["predictions"]):
        assert sum(counted["counts"]) + counted["missing"] + counted.get("other", 0) == rows


def test_looking_at_them_changes_nothing() -> None:
    profile = profile_of(NUMBERS, a=EDGES)
    for _ in range(BLOCK_ROWS + 1):
        profile.observe(np.array([[0.5, 1]]), Prediction(np.array([1])))
        profile.describe()
    assert profile.describe()["features"]["a"]["counts"] == [0, BLOCK_ROWS + 1, 0, 0]


@pytest.mark.parametrize(
    ("table", "values"),
    [
        pytest.param(np.zeros((3, 5)), np.zeros(3), id="another width"),
        pytest.param(np.zeros((3, 2, 2)), np.zeros(3), id="a tensor"),
        pytest.param(["a text"] * 3, np.zeros(3), id="no table"),
        pytest.param(np.zeros((3, 2)), np.zeros((3, 2)), id="two answers a row"),
        pytest.param(np.zeros((3, 2)), np.zeros((3, 2, 2)), id="a matrix a row"),
        pytest.param(np.zeros((3, 2)), [[[1]], [[2]], [[3]]], id="a list of lists a row"),
    ],
)
def test_shapes_without_bins_are_counted_as_such(table: Numbers, values: object) -> None:
    profile = profile_of(NUMBERS, a=EDGES)
    profile.observe(table, Prediction(values))
    told = profile.describe()
    assert (told["rows"], told["unknown_rows"]) == (3, 3)
    assert sum(told["features"]["a"]["counts"]) == 0


@pytest.mark.parametrize("values", [np.array([[1, 20], [2, 30]]), [[1, 20], [2, 30]]])
def test_each_of_several_answers_has_bins_of_its_own(values: object) -> None:
    profile = Profile(NUMBERS, DriftReference({}, (EDGES, EDGES)))
    profile.observe(np.zeros((2, 2)), Prediction(values))
    assert [told["counts"] for told in profile.describe()["predictions"]] == [
        [0, 0, 2, 0],
        [0, 0, 0, 2],
    ]


# ---- without a reference ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sample", "classes", "bins"),
    [
        pytest.param(np.array([1]), [0, 1], (LABELS,), id="a classifier"),
        pytest.param(None, [0, 1], (LABELS,), id="a classifier that was not tried"),
        pytest.param(["x"], ["x", "y"], (Categories(("x", "y")),), id="of text"),
        pytest.param(["x"], None, (Categories(()),), id="of unknown text"),
        pytest.param(np.array([1.5]), None, (DEFAULT_EDGES,), id="a regressor"),
        pytest.param(None, None, (DEFAULT_EDGES,), id="nothing is known"),
        pytest.param(np.zeros((1, 3)), [0, 1, 2], (DEFAULT_EDGES,) * 3, id="probabilities"),
        pytest.param(np.zeros((1, 2)), None, (DEFAULT_EDGES,) * 2, id="two numbers a row"),
    ],
)
def test_bins_of_answers_are_chosen(
    sample: object, classes: list[object] | None, bins: tuple[Bins, ...]
) -> None:
    assert choose_predictions(sample, classes) == bins


def test_unknown_numbers_are_told_apart_by_a_quarter() -> None:
    profile = profile_of(NUMBERS, DEFAULT_EDGES)
    profile.observe(np.zeros((5, 2)), Prediction(np.array([-2e9, 0.0, 100.0, 130.0, 1e12])))
    counts = profile.describe()["predictions"][0]["counts"]
    assert (counts[0], counts[-1], sorted(counts)[-5:]) == (1, 1, [1, 1, 1, 1, 1])


# ---- the file --------------------------------------------------------------------------------


def write_reference(folder: Path, document: object) -> None:
    folder.joinpath("drift_reference.json").write_text(json.dumps(document))


def test_a_reference_is_read_with_the_model(tmp_path: Path) -> None:
    reference = DriftReference({"a": EDGES}, (LABELS,))
    write_reference(tmp_path, describe_drift_reference(reference))
    assert read_drift_reference(tmp_path, NUMBERS) == reference


def test_a_model_without_one_is_not_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_drift_reference(tmp_path, NUMBERS) == NO_REFERENCE
    assert caplog.records == []


OTHER = describe_drift_reference(DriftReference({"z": EDGES}, ()))
TEXT = describe_drift_reference(DriftReference({"c": EDGES}, ()))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("{", "it is no JSON", id="no JSON"),
        pytest.param("[" * 100_000, "", id="too deep"),
        pytest.param("{}", "it is not of version 1", id="no version"),
        pytest.param(
            json.dumps(OTHER), "it has a feature 'z', which the model has not", id="other"
        ),
        pytest.param(json.dumps(TEXT), "it has edges for the text 'c'", id="edges of text"),
        pytest.param(" " * (9 << 20), "drift_reference.json is larger", id="huge"),
    ],
)
def test_a_broken_reference_is_a_warning(
    text: str, reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.joinpath("drift_reference.json").write_text(text)
    assert read_drift_reference(tmp_path, MIXED) == NO_REFERENCE
    (record,) = caplog.records
    assert (record.levelname, reason in record.getMessage()) == ("WARNING", True)


# ---- the route -------------------------------------------------------------------------------


async def test_all_protocols_feed_the_profile() -> None:
    server = Server()
    assert (await server.ask_admin("/monitoring/profile")).status == 503
    server.lifecycle.become_ready(served(Adder()))
    tensor = {"name": "input-0", "shape": [1, 2], "datatype": "FP64", "data": [0.5, 2]}
    sent: list[tuple[str, object]] = [
        ("/predict", GOOD),
        ("/invocations", {"dataframe_records": GOOD["records"]}),
        ("/v2/models/wïne/ /infer", {"inputs": [tensor]}),
        ("/predict", {"records": [{"a": 11, "b": 2}]}),
    ]
    statuses = [(await server.post(body, path=path)).status for path, body in sent]
    assert statuses == [200, 200, 200, 422]
    answer = await server.ask_admin("/monitoring/profile")
    told = answer.json
    (prediction,) = told.pop("predictions")
    assert sum(prediction["counts"]) == 3
    assert told == {
        "model": {"name": "wïne/ ", "version": "3", "run_id": "r1"},
        "boot_id": server.lifecycle.boot_id,
        "loaded_at": "2026-01-01T00:00:00+00:00",
        "edge_hash": DriftReference({}, (DEFAULT_EDGES,)).edge_hash,
        "rows": 3,
        "unknown_rows": 0,
        "features": {},
    }
    assert (await server.get("/monitoring/profile")).status == 404
