"""Rollouts from the first to the last write, compared with what was reviewed."""

from collections.abc import Awaitable, Callable

import pytest

from regisseur_operator.resources import DEPLOYMENT, SERVICE
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
    world.clock.advance(30)
    await story.play("30 seconds later")
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
    for _ in range(3):
        await story.round()
        world.tick()
    world.registry.promote(3)
    await story.play("version 3 is promoted while version 2 is rolled out")


async def _crash_loop(story: Story) -> None:
    world = story.world
    world.kubelet.behave(2, crash="ValueError: the model has 13 inputs, its signature 12")
    world.registry.promote(2)
    await story.play("version 2 is promoted, whose server crashes")
    world.tick(400)
    await story.play("400 seconds later")
    world.registry.promote(1)
    await story.play("version 1 is promoted again")


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
    world.cluster.pod_refusal = "pods is forbidden: exceeded quota: team, used: pods=2, limited: pods=2"
    world.registry.promote(2)
    await story.play("version 2 is promoted, but a quota allows no third pod")
    world.cluster.pod_refusal = ""
    await story.play("the quota is raised")


SCRIPTS: dict[str, Script] = {
    "Promotion": _promotion,
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
