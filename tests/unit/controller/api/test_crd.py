"""The definition is complete, described, small, and says the same as the models."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from regisseur_operator.api.crd import build_crd, render_crd
from regisseur_operator.api.rules import VALIDATIONS

CRD = build_crd()
VERSION = CRD["spec"]["versions"][0]
ROOT = VERSION["schema"]["openAPIV3Schema"]
Schema = dict[str, Any]


def walk(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from walk(child, f"{path}.{name}".lstrip("."))
    for keyword in ("items", "additionalProperties"):
        if keyword in schema:
            yield from walk(schema[keyword], f"{path}.{keyword}")


def test_every_property_is_described() -> None:
    bare = [
        path
        for path, schema in walk(ROOT)
        if not path.startswith("metadata")
        and not path.endswith((".items", ".additionalProperties"))
        and not schema.get("description", "").endswith(".")
    ]
    assert not bare


def test_every_text_list_and_map_that_a_rule_reads_has_a_limit() -> None:
    limits = {"string": "maxLength", "array": "maxItems", "object": "maxProperties"}
    unlimited = [
        path
        for path, schema in walk(ROOT["properties"]["spec"])
        if (limit := limits.get(schema.get("type", "")))
        and limit not in schema
        and "properties" not in schema
        and "enum" not in schema
    ]
    assert not unlimited


def test_every_list_says_how_it_is_merged() -> None:
    lists = {path: schema for path, schema in walk(ROOT) if schema.get("type") == "array"}
    assert lists
    assert all("x-kubernetes-list-type" in schema for schema in lists.values())


def test_every_rule_has_a_message_for_people() -> None:
    rules = [rule for _, schema in walk(ROOT) for rule in schema.get(VALIDATIONS, [])]
    assert len(rules) >= 12
    assert all(len(rule["message"]) > 20 for rule in rules)


def test_it_is_small() -> None:
    assert len(render_crd().encode()) < 100_000


def test_a_status_has_no_defaults() -> None:
    assert not [path for path, s in walk(ROOT["properties"]["status"]) if "default" in s]


def test_it_reads_back_as_it_was_built() -> None:
    assert yaml.safe_load(render_crd()) == CRD


def test_values_that_occur_twice_are_written_twice() -> None:
    assert not re.search(r"[&*]id\d", render_crd())


def test_it_is_the_resource_that_people_know_by_name() -> None:
    names = CRD["spec"]["names"]
    assert CRD["metadata"]["name"] == f"{names['plural']}.{CRD['spec']['group']}"
    assert (names["shortNames"], names["categories"]) == (["mdep"], ["mlops"])
    assert CRD["spec"]["scope"] == "Namespaced"


@pytest.mark.parametrize("path", ["spec.replicas", "status.replicas", "status.selector"])
def test_the_scale_subresource_points_at_fields_that_exist(path: str) -> None:
    assert f".{path}" in VERSION["subresources"]["scale"].values()
    assert path in dict(walk(ROOT))


def test_columns_show_fields_that_exist() -> None:
    known = {f".{path}" for path, _ in walk(ROOT)} | {".metadata.creationTimestamp"}
    columns = VERSION["additionalPrinterColumns"]
    assert [column["name"].upper() for column in columns] == [
        *("MODEL", "REFERENCE", "VERSION", "CANDIDATE", "PHASE", "READY", "AGE"),
    ]
    assert {column["jsonPath"] for column in columns} <= known
