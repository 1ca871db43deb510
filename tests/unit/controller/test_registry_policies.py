"""What the person who runs the operator does not allow is not begun; what serves goes on."""

from dataclasses import replace

import pytest

from regisseur_contract.tags import TAG_IMAGE
from regisseur_operator.core.policy import RegistryPolicy, find_repository
from support.pod_parts import containers
from support.worlds import World, start

OWN = "registry.example.com/ml/wine-server:1"
FOREIGN = "elsewhere.example.com/ml/wine-server:1"
IMAGES = RegistryPolicy(image_repositories=("registry.example.com/ml/*",))


def govern(world: World, policy: RegistryPolicy) -> World:
    """Restart the operator with a policy for the one registry."""
    world.configuration = replace(world.configuration, policies={"default": policy})
    world.start_operator()
    return world


def find_image(world: World) -> str:
    """Return the image of the serving pods."""
    return str(containers(world.deployment["spec"]["template"])["server"]["image"])


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (RegistryPolicy(namespaces=("team-*",)), "is not for namespace 'ml'"),
        (RegistryPolicy(models=("beer", "w?ne-*")), "is not for model 'wine'"),
    ],
)
async def test_what_is_not_allowed_is_not_begun_and_not_asked_for(
    policy: RegistryPolicy, words: str
) -> None:
    world = govern(World(), policy)
    world.registry.promote(1)
    await world.settle()

    assert not world.registry.followed
    status, reason, message = world.condition("Resolved")
    assert (status, reason) == ("False", "NotAllowed")
    assert words in message
    assert world.status.resolved is None
    assert not world.rehearsal_pods
    assert world.status.phase == "Pending"


async def test_what_serves_goes_on_when_the_policy_changes() -> None:
    world = await start()
    govern(world, RegistryPolicy(models=("beer",)))
    world.registry.promote(2)
    await world.settle()

    assert world.served_versions == ["1", "1"]
    assert "goes on being served" in world.condition("Resolved")[2]
    assert world.condition("Available")[0] == "True"

    govern(world, RegistryPolicy(models=("wine",)))
    await world.settle()
    assert world.served_versions == ["2", "2"]


async def test_an_image_of_the_spec_has_to_be_an_allowed_one() -> None:
    world = govern(await start(), IMAGES)
    world.edit_spec(lambda spec: spec.update(serving={"image": FOREIGN}))
    await world.settle()

    _, reason, message = world.condition("Progressing")
    assert (reason, world.status.phase) == ("NotAllowed", "Waiting")
    assert FOREIGN in message
    assert "spec.serving.image" in message

    world.edit_spec(lambda spec: spec.update(serving={"image": OWN}))
    await world.settle()
    assert world.status.phase == "Healthy"
    assert find_image(world) == OWN


async def test_an_image_of_a_version_has_to_be_an_allowed_one() -> None:
    world = govern(await start(), IMAGES)
    world.registry.register(2, tags={TAG_IMAGE: FOREIGN})
    world.edit_spec(lambda s: s.update(serving={"imageFrom": {"modelVersionTag": TAG_IMAGE}}))
    world.registry.promote(2)
    await world.settle()

    _, reason, message = world.condition("Progressing")
    assert reason == "NotAllowed"
    assert TAG_IMAGE in message
    assert world.served_versions == ["1", "1"]


async def test_the_operators_own_image_and_the_one_that_serves_are_allowed() -> None:
    world = await start(serving={"image": FOREIGN})
    govern(world, IMAGES)
    world.edit_spec(lambda spec: spec["serving"].update(env=[{"name": "A", "value": "1"}]))
    await world.settle()
    assert (world.status.phase, find_image(world)) == ("Healthy", FOREIGN)

    world.edit_spec(lambda spec: spec.pop("serving"))
    await world.settle()
    assert (world.status.phase, find_image(world)) == ("Healthy", "serving:v1")


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("serving", "serving"),
        ("serving:1", "serving"),
        ("example.com:5000/serving", "example.com:5000/serving"),
        ("example.com:5000/ml/serving:1.2", "example.com:5000/ml/serving"),
        (f"example.com/serving:1@sha256:{'0' * 64}", "example.com/serving"),
    ],
)
def test_a_repository_has_no_tag_and_no_digest(image: str, repository: str) -> None:
    assert find_repository(image) == repository
