"""The file `drift_reference.json`: what is in it, and what makes two of them the same."""

import json

import pytest

from regisseur_contract.drift import (
    MOST_BINS,
    Bins,
    Categories,
    DriftReference,
    Edges,
    describe_drift_reference,
    parse_drift_reference,
)

REFERENCE = DriftReference(
    {"alcohol": Edges((11.5, 13.0)), "color": Categories(("red", "white", True, 2))},
    (Categories((0, 1, 2)),),
)


def test_what_is_written_is_read_back() -> None:
    text = json.dumps(describe_drift_reference(REFERENCE) | {"counts": "of somebody else"})
    assert parse_drift_reference(json.loads(text)) == REFERENCE


def test_the_hash_is_of_the_bins_alone() -> None:
    assert REFERENCE.edge_hash == (
        "sha256:0e9fedcc66f7a2d92a6d2d5699338fe19444d58372c91606d585c8b42a021bf7"
    )
    turned = DriftReference(
        {name: REFERENCE.features[name] for name in ("color", "alcohol")}, REFERENCE.predictions
    )
    assert turned.edge_hash == REFERENCE.edge_hash


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"alcohol": Edges((11.5, 13.1))}, id="another edge"),
        pytest.param({"alcohol": Categories((11.5, 13.0))}, id="another kind"),
        pytest.param({"proline": Edges((11.5, 13.0))}, id="another feature"),
    ],
)
def test_other_bins_have_another_hash(other: dict[str, Bins]) -> None:
    mine = DriftReference({"alcohol": Edges((11.5, 13.0))}, ())
    assert DriftReference(other, ()).edge_hash != mine.edge_hash


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param([], "not of version 1", id="no object"),
        pytest.param({"version": 2}, "not of version 1", id="a later version"),
        pytest.param({"features": []}, "features must be an object", id="features in a list"),
        pytest.param({"features": {"a": {}}}, "'a' must have a list", id="neither of both"),
        pytest.param({"features": {"a": 1}}, "'a' must have a list", id="no bins"),
        pytest.param(
            {"features": {"a": {"edges": [1], "categories": [1]}}}, "'a' must have", id="both"
        ),
        pytest.param({"features": {"a": {"edges": []}}}, "finite numbers", id="no edge"),
        pytest.param({"features": {"a": {"edges": [1, 1]}}}, "ascending", id="an edge twice"),
        pytest.param({"features": {"a": {"edges": ["1"]}}}, "finite numbers", id="text"),
        pytest.param({"features": {"a": {"edges": [True]}}}, "finite numbers", id="true"),
        pytest.param({"features": {"a": {"edges": [1e999]}}}, "finite numbers", id="infinity"),
        pytest.param({"features": {"a": {"edges": [float("nan")]}}}, "finite numbers", id="NaN"),
        pytest.param({"features": {"a": {"edges": [10**400]}}}, "finite numbers", id="too large"),
        pytest.param(
            {"features": {"a": {"edges": list(range(MOST_BINS + 1))}}}, "more than", id="too many"
        ),
        pytest.param({"predictions": [{"categories": [1, True]}]}, "different", id="equal ones"),
        pytest.param({"predictions": [{"categories": [None]}]}, "must be texts", id="null"),
        pytest.param({"predictions": [{"categories": [[1]]}]}, "must be texts", id="a list"),
        pytest.param({"features": {"\ud800": {"edges": [1]}}}, "no Unicode", id="half a letter"),
        pytest.param({"features": {"a": {"edges": [1]}}}, "not the hash", id="no hash"),
    ],
)
def test_a_broken_one_is_refused_with_a_reason(document: object, reason: str) -> None:
    versioned = {"version": 1} | document if isinstance(document, dict) else document
    with pytest.raises(ValueError, match=reason):
        parse_drift_reference(versioned)
