"""Rollouts from the first to the last write, compared with what was reviewed."""

from collections.abc import Awaitable, Callable

import pytest

from regisseur_contract.exits import STORE_UNAVAILABLE
from regisseur_contract.rehearsal import Word
from regisseur_operator.resources import DEPLOYMENT, SERVICE
from support.fake_kubelet import OVERWRITTEN
from support.stories import Story
from support.worlds import KEY, World

Script = Callable[[Story], Awaitable[None]]


async def _promotion(story: Story) -> None:
    story.world.registry.promote(2)
    await story.play("version 2 is promoted, version 1 archived")


async def _edited_deployment(story: Story) -> None:
    world = story.world
    world.cluster.edit(DEPLOYMENT, KEY, lambda live: live["spec"].update(replicas=7))
    await story.play("somebody scales the Deployment to 7")
    world.cluster.edit(
        DEPLOYMENT,
        KEY,
        lambda live: live["spec"]["template"]["spec"]["containers"][0].update(image="other:v1"),
    )
    await story.play("somebody sets another image")


async def _deleted_children(story: Story) -> None:
    story.world.registry.fail(story.world.clock.now())
    story.world.cluster.remove(DEPLOYMENT, *KEY)
    story.world.cluster.remove(SERVICE, *KEY)
    await story.play("the registry goes down and somebody deletes the Deployment and the Service")


async def _registry_outage(story: Story) -> None:
    world = story.world
    world.registry.fail(world.clock.now())
    await story.play("the registry stops answering")
    world.registry.restart_watcher()
    world.registry.fail(world.clock.now())
    world.start_operator()
    await story.play("the operator is restarted during the outage")
    world.registry.recover()
    await story.play("the registry answers again")


async def _missing_reference(story: Story) -> None:
    world = story.world
    world.registry.move(1, "Archived")
    await story.play("version 1 is archived and nothing is in Production")
    world.edit_spec(lambda spec: spec.update(model={"name": "wien", "stage": "Production"}))
    await story.play("somebody mistypes the model's name")
    world.edit_spec(lambda spec: spec.update(model={"name": "wine", "stage": "Production"}))
    world.registry.promote(1)
    await story.play("the name is corrected and version 1 promoted again")


async def _superseded_promotion(story: Story) -> None:
    world = story.world
    world.registry.promote(2)
    story.tell("version 2 is promoted")
    for _ in range(6):
        await story.round()
        world.tick()
    world.registry.promote(3)
    await story.play("version 3 is promoted while version 2 is rolled out")


async def _crash_loop(story: Story) -> None:
    world = story.world
    world.kubelet.behave(2, crash="ValueError: the model has 13 inputs, its signature 12")
    world.registry.promote(2)
    await story.play("version 2 is promoted; it passes its rehearsal, but its server crashes")
    world.kubelet.heal()
    await story.play("what made it crash is put right")
    world.retry("1")
    await story.play("somebody says retry")


async def _failed_rehearsal(story: Story) -> None:
    world = story.world
    world.kubelet.behave(2, word=Word.PREDICTION_FAILED)
    world.registry.promote(2)
    await story.play("version 2 is promoted; it cannot predict its own input example")
    world.registry.promote(3)
    await story.play("version 3 is promoted instead")
    world.registry.promote(2)
    await story.play("version 2 is promoted again: the reference moved, so it is tried again")


async def _out_of_memory(story: Story) -> None:
    world = story.world
    world.kubelet.behave(2, serving_memory=1500)
    world.change("memory")
    await story.play("a memory limit of 1 GiB is set")
    world.registry.promote(2)
    await story.play("version 2 is promoted, whose server needs 1500 MiB")
    world.change("more memory")
    await story.play("the limit is raised to 2 GiB")


async def _unmet_gate(story: Story) -> None:
    world = story.world
    world.change("approval gate")
    await story.play("from now on a version must be approved before it is served")
    world.registry.promote(2)
    await story.play("version 2 is promoted")
    world.approve(2)
    await story.play("version 2 is approved")


async def _rollback(story: Story) -> None:
    world = story.world
    world.registry.promote(2)
    await story.play("version 2 is promoted")
    world.rollback_to(1)
    await story.play("spec.rollbackTo is set to 1")
    world.registry.promote(3)
    await story.play("version 3 is promoted, while spec.rollbackTo holds")
    world.rollback_to(None)
    await story.play("spec.rollbackTo is cleared")


async def _return(story: Story) -> None:
    world = story.world
    world.registry.promote(2)
    await story.play("version 2 is promoted")
    world.registry.promote(1)
    await story.play("version 1 is promoted again: it is known and needs no rehearsal")


async def _outage_mid_roll(story: Story) -> None:
    world = story.world
    world.registry.promote(2)
    story.tell("version 2 is promoted")
    for _ in range(6):
        await story.round()
        world.tick()
    world.registry.fail(world.clock.now())
    await story.play("the registry goes down while version 2 is rolled out")
    world.registry.recover()
    await story.play("the registry answers again")


async def _store_outage(story: Story) -> None:
    world = story.world
    world.kubelet.store = (STORE_UNAVAILABLE, "connection refused")
    world.registry.promote(2)
    await story.play("version 2 is promoted while the artifact store is down", patience=60)
    world.kubelet.store = None
    await story.play("the store is up again")


async def _overwritten_artifact(story: Story) -> None:
    world = story.world
    world.replace_files(1, OVERWRITTEN)
    world.change("replicas 3")
    await story.play("the files of version 1 are overwritten, and a third pod is asked for")
    world.registry.promote(2)
    await story.play("version 2 is promoted")


async def _created_again(story: Story) -> None:
    world = story.world
    world.registry.delete_model()
    await story.play("somebody deletes the model")
    world.registry.register(1, model_id="m-1-new")
    world.registry.promote(1)
    await story.play("the model is created again, and its new version 1 promoted")


async def _several_holders(story: Story) -> None:
    world = story.world
    world.registry.promote(2, archive=False)
    await story.play("version 2 is promoted, version 1 is not archived")
    world.registry.register(3)
    await story.play("version 3 is registered")
    world.registry.move(2, "Archived")
    await story.play("version 2 is archived")


async def _quota(story: Story) -> None:
    world = story.world
    world.cluster.pod_refusal = (
        "pods is forbidden: exceeded quota: team, used: pods=2, limited: pods=2"
    )
    world.registry.promote(2)
    await story.play("version 2 is promoted, but a quota allows no third pod")
    world.cluster.pod_refusal = ""
    await story.play("the quota is raised")


async def _first_deploy(story: Story) -> None:
    """Nothing more happens."""


SCRIPTS: dict[str, Script] = {
    "First deploy": _first_deploy,
    "Promotion": _promotion,
    "Return to an earlier version": _return,
    "Rollback and back": _rollback,
    "Failed rehearsal": _failed_rehearsal,
    "Out of memory": _out_of_memory,
    "Unmet gate": _unmet_gate,
    "Registry outage mid-roll": _outage_mid_roll,
    "Store outage": _store_outage,
    "Overwritten artifact": _overwritten_artifact,
    "Model created again": _created_again,
    "Edited Deployment": _edited_deployment,
    "Deleted children": _deleted_children,
    "Registry outage": _registry_outage,
    "Missing reference": _missing_reference,
    "Superseded promotion": _superseded_promotion,
    "Crash loop": _crash_loop,
    "Several holders": _several_holders,
    "Exceeded quota": _quota,
}


@pytest.mark.parametrize("title", SCRIPTS)
async def test_story(title: str) -> None:
    world = World()
    world.registry.promote(1)
    story = Story(title, world)
    await story.play("version 1 is in Production and the ModelDeployment is applied")
    await SCRIPTS[title](story)
    story.compare()
