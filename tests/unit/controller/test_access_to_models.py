"""What the download is told of the registry, and what it believes; the server sees none of it."""

from dataclasses import replace

from regisseur_contract.names import CONTAINER_FETCH, CONTAINER_SERVER
from regisseur_contract.runtime import ENV_CA_FILE, ENV_REGISTRY_WORKSPACE
from regisseur_operator.api.status import Lineage
from regisseur_operator.core.roll import PodInputs
from regisseur_operator.resources.pods import build_pod_template
from support.kube_client import Json
from support.pod_parts import build_inputs, containers
from support.worlds import World, start

ACCESS = {"modelAccess": {"caConfigMapRef": {"name": "authorities"}}}


def build(inputs: PodInputs) -> tuple[Json, dict[str, Json]]:
    template = build_pod_template("wine", inputs, Lineage())
    return template, containers(template)


def told(container: Json) -> dict[str, str]:
    return {entry["name"]: entry.get("value", "") for entry in container["env"]}


def test_a_bundle_is_mounted_for_the_download_alone() -> None:
    template, found = build(build_inputs(ca_config_map="authorities"))

    volume = next(v for v in template["spec"]["volumes"] if v["name"] == "ca")
    assert volume["configMap"]["name"] == "authorities"
    mount = next(m for m in found[CONTAINER_FETCH]["volumeMounts"] if m["name"] == "ca")
    assert told(found[CONTAINER_FETCH])[ENV_CA_FILE] == f"{mount['mountPath']}/ca.crt"
    assert mount["readOnly"] is True
    assert "ca" not in {m["name"] for m in found[CONTAINER_SERVER]["volumeMounts"]}
    assert ENV_CA_FILE not in told(found[CONTAINER_SERVER])


def test_what_is_not_asked_for_leaves_no_trace() -> None:
    usual = build_inputs()
    template, found = build(usual)

    assert {v["name"] for v in template["spec"]["volumes"]} == {"model", "tmp"}
    assert not {ENV_CA_FILE, ENV_REGISTRY_WORKSPACE} & told(found[CONTAINER_FETCH]).keys()
    assert replace(usual, workspace="").wish == usual.wish


async def test_the_workspace_is_told_with_the_next_rollout_and_rolls_nothing() -> None:
    world = await start()
    move_to(world, "cellar")
    await world.settle()
    assert world.cluster.writes == []

    world.registry.promote(2)
    await world.settle()

    assert world.served_versions == ["2", "2"]
    fetch = world.deployment["spec"]["template"]["spec"]["initContainers"][0]
    assert told(fetch)[ENV_REGISTRY_WORKSPACE] == "cellar"


async def test_other_authorities_are_other_pods() -> None:
    world = await start()
    world.edit_spec(lambda spec: spec.update(serving=ACCESS))

    await world.settle()

    assert world.status.stable is not None
    assert world.status.stable.revision == 2
    volumes = world.deployment["spec"]["template"]["spec"]["volumes"]
    assert "authorities" in str(volumes)


def move_to(world: World, workspace: str) -> None:
    """Configure the operator with a workspace of the same registry."""
    world.configuration = replace(world.configuration, workspaces={"default": workspace})
    world.start_operator()
