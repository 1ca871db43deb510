"""What a rehearsal brings along to compare, and what people hear of one that passed."""

from dataclasses import replace

from regisseur_contract.runtime import ENV_REGISTRY_URL, ENV_SERVED_ARTIFACT_URI, ENV_TRUST_PICKLE
from regisseur_operator.core.policy import RegistryPolicy
from regisseur_operator.ports import Manifest
from regisseur_operator.reconcile import Configuration
from support.pod_parts import containers, environment
from support.worlds import start


def read_fetch(pod: Manifest) -> dict[str, str]:
    """Return the environment of the fetch container of a pod."""
    return environment(containers(pod)["fetch"])


def read_server(deployment: Manifest) -> dict[str, str]:
    """Return the environment of the server of a Deployment's pods."""
    return environment(containers(deployment["spec"]["template"])["server"])


async def test_a_rehearsal_brings_what_is_served_along_to_compare() -> None:
    world = await start()
    served = world.files_of(1)
    world.registry.promote(2)
    await world.until(lambda: bool(world.rehearsal_pods))

    assert read_fetch(world.rehearsal_pods[0])[ENV_SERVED_ARTIFACT_URI] == served


async def test_what_is_served_from_another_registry_is_not_looked_for_in_this_one() -> None:
    world = await start()
    world.registry.names = frozenset({"default", "other"})
    urls = {**world.configuration.registry_urls, "other": "http://other:5000"}
    world.configuration = Configuration(world.configuration.default_image, urls)
    world.start_operator()
    world.edit_spec(lambda spec: spec["model"].update(registry="other"))
    await world.until(lambda: bool(world.rehearsal_pods))

    told = read_fetch(world.rehearsal_pods[0])
    assert told[ENV_REGISTRY_URL] == "http://other:5000"
    assert ENV_SERVED_ARTIFACT_URI not in told
    await world.settle()
    assert world.status.phase == "Healthy"


async def test_the_policy_for_pickles_is_told_with_the_next_roll_and_rolls_nothing() -> None:
    world = await start()
    before = world.served_versions
    policies = {"default": RegistryPolicy(trusts_pickle=True)}
    world.configuration = replace(world.configuration, policies=policies)
    world.start_operator()
    await world.settle()
    assert world.served_versions == before
    assert ENV_TRUST_PICKLE not in read_server(world.deployment)

    world.registry.promote(2)
    await world.until(lambda: bool(world.rehearsal_pods))
    assert environment(containers(world.rehearsal_pods[0])["rehearse"])[ENV_TRUST_PICKLE] == "true"
    assert ENV_TRUST_PICKLE not in read_fetch(world.rehearsal_pods[0])
    await world.settle()
    assert read_server(world.deployment)[ENV_TRUST_PICKLE] == "true"
    assert world.served_versions != before


async def test_what_passed_untried_is_served_and_that_is_told() -> None:
    world = await start()
    remark = "no input example: no prediction was tried; log one with input_example="
    world.kubelet.behave(2, remark=remark)
    world.registry.promote(2)

    await world.settle()

    rehearsal = world.status.rehearsal
    assert rehearsal is not None
    assert (rehearsal.state, rehearsal.message) == ("Passed", remark)
    assert world.condition("Rehearsed")[:2] == ("True", "RehearsalPassed")
    told = f"Version 2 passed its rehearsal, and its files are pinned; {remark}"
    assert ("Normal", "RehearsalPassed", told) in world.events.published
    assert world.served_versions == ["2", "2"]
    assert world.status.phase == "Healthy"
    assert world.status.rejected == []
