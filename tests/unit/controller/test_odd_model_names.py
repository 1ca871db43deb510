"""Whatever a model is called, the names and labels of what runs it are valid."""

import re
from typing import Any

import pytest

from regisseur_contract.runtime import ENV_MODEL_NAME
from regisseur_operator.resources import WATCHED
from support.worlds import KEY, World

NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a" * 255, id="255 letters"),
        pytest.param("模" * 255, id="255 letters of three bytes"),
        pytest.param("🙂" * 255, id="255 letters of four bytes"),
        pytest.param("  wine  ", id="spaces at both ends"),
        pytest.param('it\'s "both" \\ {x} $(y)', id="quotes and what shells and Kubernetes expand"),
        pytest.param("line\nbreak\tand tab", id="a line break and a tab"),
        pytest.param("-_.", id="what no label may begin with"),
    ],
)
async def test_no_object_has_a_name_or_a_label_of_the_model_s_name(name: str) -> None:
    world = World(model={"name": name, "stage": "Production"})
    world.registry.promote(1, model=name)

    await world.settle()

    assert world.status.stable is not None
    assert world.status.resolved is not None
    assert world.status.resolved.model == name
    manifests = [m for watched in WATCHED for m in world.view.children(KEY, watched.kind)]
    assert manifests
    for metadata in (found for manifest in manifests for found in find_metadata(manifest)):
        assert NAME.fullmatch(metadata.get("name", "x"))
        assert all(LABEL.fullmatch(value) for value in metadata.get("labels", {}).values())


async def test_a_model_s_name_reaches_the_server_as_it_is() -> None:
    name = "$(REGISSEUR_MODEL_VERSION) costs $$5"
    world = World(model={"name": name, "stage": "Production"})
    world.registry.promote(1, model=name)

    await world.settle()

    (server,) = world.deployment["spec"]["template"]["spec"]["containers"]
    given = {entry["name"]: entry.get("value", "") for entry in server["env"]}[ENV_MODEL_NAME]
    # As Kubernetes reads it: two dollars are one, and a single one begins a variable.
    assert "$(" not in given.replace("$$", "")
    assert given.replace("$$", "$") == name


def find_metadata(value: object) -> list[dict[str, Any]]:
    """Return every `metadata` in a manifest, that of pod templates as well."""
    if isinstance(value, list):
        return [found for entry in value for found in find_metadata(entry)]
    if not isinstance(value, dict):
        return []
    inner = [found for entry in value.values() for found in find_metadata(entry)]
    return [*inner, *([value["metadata"]] if isinstance(value.get("metadata"), dict) else [])]
