"""Whether a live object still says what was said."""

from typing import Any

import pytest

from regisseur_operator.core.drift import find_drift, read_seal, seal_desired

SOFT = {"topologyKey": "host", "whenUnsatisfiable": "ScheduleAnyway", "maxSkew": 1}
HARD = {"topologyKey": "host", "whenUnsatisfiable": "DoNotSchedule", "maxSkew": 2}

SAME: list[Any] = [
    pytest.param({"a": 1, "b": 2}, {"a": 1}, id="fields that others set do not matter"),
    pytest.param(
        {"limits": {"cpu": "1"}}, {"limits": {"cpu": "1000m"}}, id="an amount in another notation"
    ),
    pytest.param(
        {"emptyDir": {"sizeLimit": "2Gi"}},
        {"emptyDir": {"sizeLimit": "2048Mi"}},
        id="a size in another notation",
    ),
    pytest.param({"maxSurge": "1"}, {"maxSurge": 1}, id="a number that came back as text"),
    pytest.param({}, {"resources": {}}, id="nothing said and nothing there"),
    pytest.param({}, {"minReadySeconds": 0}, id="a 0 that the API server leaves out"),
    pytest.param(
        {"spec": {}}, {"spec": {"paused": False}}, id="a false that the API server leaves out"
    ),
    pytest.param({}, {"items": []}, id="no items said and none there"),
    pytest.param(
        {"env": [{"name": "b", "value": "2"}, {"name": "a", "value": "1", "x": 1}]},
        {"env": [{"name": "a", "value": "1"}]},
        id="items are found by name, in any order",
    ),
    pytest.param(
        {"volumeMounts": [{"name": "m", "mountPath": "/a"}, {"name": "m", "mountPath": "/b"}]},
        {"volumeMounts": [{"name": "m", "mountPath": "/a"}, {"name": "m", "mountPath": "/b"}]},
        id="mounts of one volume are found by path",
    ),
    pytest.param(
        {"spread": [{**HARD, "minDomains": 1}, SOFT]},
        {"spread": [SOFT, HARD]},
        id="two spreads over one topology are told apart",
    ),
    pytest.param(
        {"terms": [{"topologyKey": "host"}, {"topologyKey": "host"}]},
        {"terms": [{"topologyKey": "host"}, {"topologyKey": "host"}]},
        id="items that nothing tells apart are compared in their order",
    ),
    pytest.param(
        {"tolerations": [{"key": "gpu", "operator": "Exists"}, {"key": "b", "effect": "x"}]},
        {"tolerations": [{"key": "gpu", "operator": "Exists", "values": []}, {"key": "b"}]},
        id="items without a name are compared in their order, each for what was said",
    ),
]

DIFFERENT: list[Any] = [
    pytest.param({"a": 1}, {"a": 2}, ["a"], id="another value"),
    pytest.param({}, {"a": {"b": 1}}, ["a"], id="a field taken away"),
    pytest.param({"a": None}, {"a": ""}, ["a"], id="nothing is not empty text"),
    pytest.param({}, {"a": False}, ["a"], id="nothing is not false"),
    pytest.param(
        {"spec": {"paused": True}}, {"spec": {"paused": False}}, ["spec.paused"], id="a pause"
    ),
    pytest.param({"a": True}, {"a": "True"}, ["a"], id="a truth value is not its name"),
    pytest.param(
        {"labels": {"amount": "1"}},
        {"labels": {"amount": "1000m"}},
        ["labels.amount"],
        id="text that looks like an amount is text",
    ),
    pytest.param(
        {"limits": {"memory": "1Gi"}},
        {"limits": {"memory": "1G"}},
        ["limits.memory"],
        id="another amount",
    ),
    pytest.param(
        {"c": [{"name": "server", "image": "x"}]},
        {"c": [{"name": "server", "image": "y"}]},
        ["c[server].image"],
        id="an item's field is named by its path",
    ),
    pytest.param(
        {"c": [{"name": "other"}]},
        {"c": [{"name": "server", "image": "y"}]},
        ["c[server]"],
        id="an item taken away",
    ),
    pytest.param(
        {"tolerations": [{"key": "a"}, {"key": "b"}]},
        {"tolerations": [{"key": "a"}]},
        ["tolerations"],
        id="one more item without a name",
    ),
    pytest.param(
        {"tolerations": [{"key": "b"}, {"key": "a"}]},
        {"tolerations": [{"key": "a"}, {"key": "b"}]},
        ["tolerations[0].key", "tolerations[1].key"],
        id="items without a name in another order",
    ),
    pytest.param(
        {"spread": [SOFT, {**HARD, "maxSkew": 1}]},
        {"spread": [SOFT, HARD]},
        ["spread[host, DoNotSchedule].maxSkew"],
        id="one of two spreads over one topology",
    ),
    pytest.param(
        {"terms": [{"name": "a", "x": 1}, {"name": "a", "x": 1}]},
        {"terms": [{"name": "a", "x": 1}, {"name": "a", "x": 2}]},
        ["terms[1].x"],
        id="one of two items that nothing tells apart",
    ),
    pytest.param({"args": ["a", "b"]}, {"args": ["a"]}, ["args"], id="plain lists are whole"),
    pytest.param({"a": "text"}, {"a": ["text"]}, ["a"], id="text is not a list"),
]


@pytest.mark.parametrize(("live", "desired"), SAME)
def test_contained(live: dict[str, Any], desired: dict[str, Any]) -> None:
    assert find_drift(live, desired) == []


@pytest.mark.parametrize(("live", "desired", "paths"), DIFFERENT)
def test_not_contained(live: dict[str, Any], desired: dict[str, Any], paths: list[str]) -> None:
    assert find_drift(live, desired) == paths


def test_the_seal_changes_with_what_is_no_longer_desired() -> None:
    with_limit = seal_desired({"metadata": {"name": "x"}, "limits": {"cpu": "1"}})
    without = seal_desired({"metadata": {"name": "x"}})

    assert read_seal(with_limit) != read_seal(without)
    assert read_seal(without) == read_seal(seal_desired({"metadata": {"name": "x"}}))
    assert read_seal({"metadata": {}}) == ""
