"""What users of other operators suffer from, one named test each.

Those that the core alone can prove are here and in `test_named_pains_of_status`. The others are
proven where the real parts are:

| pain | elsewhere |
|---|---|
| an update drops capacity | cluster/test_autoscaling_takes_over_without_a_gap.py |
| an update drops capacity | e2e/test_autoscaling.py |
| a field is ignored in silence | cluster/test_crd_refuses_what_cannot_work.py |
| a rollout is stuck for ever | e2e/test_versions_that_die.py |
| a selector flips before its targets are there | e2e/test_rollouts_lose_no_request.py |
| a rollback is rolled forward again | cluster/test_a_rehearsal_comes_before_traffic.py |
| a return takes as long as the way there | cluster/test_revisions_bring_back_word_for_word.py |
| scarce machines deadlock a surge | e2e/test_versions_that_do_not_fit.py |
| ready, but not serving well | e2e/test_a_broken_model_never_takes_traffic.py |
| the status lies | e2e/test_faults_under_load.py |
| credentials for the store | e2e/test_pod_options.py |
| the operator can read every secret | chart/test_chart_asks_for_no_more_than_it_needs.py |
| the model was made for other packages | adapters/test_serving_rehearse.py |
| which version answered | adapters/test_serving_process.py |
| the same path has other files | e2e/test_versions_with_other_files.py |
| a model that was made again | adapters/test_registry_takes_a_version_away.py |
"""

import re
from pathlib import Path
from typing import Any

import pytest

from regisseur_operator.resources import (
    AUTOSCALER,
    DEPLOYMENT,
    POD_DISRUPTION_BUDGET,
    SERVICE,
)
from support.worlds import KEY, World, build_modeldeployment, start

TESTS = Path(__file__).parents[2]
AUTOSCALED: dict[str, Any] = {
    "autoscaling": {"minReplicas": 2, "maxReplicas": 8},
    "serving": {"resources": {"requests": {"cpu": "500m"}}},
}


def test_the_table_names_files_that_exist() -> None:
    named = re.findall(r"\| (\w+/\w+\.py) \|", __doc__ or "")

    assert len(named) == 16
    assert [path for path in named if not (TESTS / path).exists()] == []


# ---- capacity ------------------------------------------------------------------------------------


async def test_an_update_keeps_the_number_that_an_autoscaler_has_set() -> None:
    world = await start(**AUTOSCALED)
    world.load = 5.0
    await world.settle()
    assert world.ready_pods == 5
    world.ready_log.clear()

    world.registry.promote(2)
    await world.settle()

    assert world.served_versions == ["2"] * 5
    assert all(sum(ready.values()) >= 5 for _, ready in world.ready_log)


async def test_switching_autoscaling_on_and_off_drops_no_pod() -> None:
    world = await start(replicas=5)
    world.ready_log.clear()
    world.load = 5.0
    world.edit_spec(lambda spec: spec.update(AUTOSCALED))
    await world.settle()
    assert world.cluster.find(AUTOSCALER, KEY) is not None

    world.edit_spec(lambda spec: spec.pop("autoscaling"))
    await world.settle()

    assert world.cluster.find(AUTOSCALER, KEY) is None
    assert all(sum(ready.values()) >= 5 for _, ready in world.ready_log)


async def test_giving_up_with_nothing_in_progress_scales_nothing_down() -> None:
    """Every way to say "back": none of them may touch what is served."""
    world = await start()
    world.ready_log.clear()
    world.retry("1")
    await world.settle()
    world.rollback_to(1)
    await world.settle()
    world.rollback_to(99)
    await world.settle()
    world.rollback_to(None)
    await world.settle()

    assert all(sum(ready.values()) >= 2 for _, ready in world.ready_log)
    assert "apply Deployment wine" not in world.cluster.writes


async def test_a_selector_names_no_version_and_never_changes() -> None:
    world = await start()

    def selectors() -> list[Any]:
        kinds = (DEPLOYMENT, SERVICE, POD_DISRUPTION_BUDGET)
        return [world.cluster.get(kind, KEY)["spec"]["selector"] for kind in kinds]

    before = selectors()
    world.registry.promote(2)
    await world.settle()
    world.rollback_to(1)
    await world.settle()

    assert selectors() == before
    assert "version" not in str(before)


async def test_a_resource_that_comes_to_a_taken_name_takes_nothing_over() -> None:
    world = World()
    foreign = {**build_modeldeployment(), "kind": "Service", "spec": {"selector": {"app": "old"}}}
    world.cluster.put(SERVICE, foreign)
    world.registry.promote(1)

    await world.settle(patience=60)

    assert world.condition("Ready")[1] == "NameConflict"
    assert world.cluster.get(SERVICE, KEY)["spec"] == foreign["spec"]
    assert world.cluster.find(DEPLOYMENT, KEY) is None


# ---- rollouts that get stuck or stay -------------------------------------------------------------


async def test_a_rollout_that_gets_nowhere_ends_by_itself() -> None:
    world = await start()
    world.kubelet.behave(2, never_ready=True)
    world.registry.promote(2)

    await world.settle()

    assert world.status.candidate is None
    assert world.served_versions == ["1", "1"]


@pytest.mark.parametrize("trouble", ["unschedulable", "refused"])
async def test_a_rollout_that_hangs_can_be_left_at_any_time(trouble: str) -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: "apply Deployment wine" in world.cluster.writes)
    setattr(world.kubelet, trouble, "for ever")
    await world.settle(patience=120)

    world.registry.promote(1)
    await world.settle(patience=120)

    assert world.status.phase == "Healthy"
    assert not world.runs(2)


async def test_a_broken_stable_version_does_not_keep_its_cure_out() -> None:
    world = await start()
    world.kubelet.behave(1, dies_after=2.0)
    await world.settle(patience=60)
    assert world.condition("Ready")[0] == "False"

    world.registry.promote(2)
    await world.settle()

    assert world.served_versions == ["2", "2"]


async def test_nothing_is_left_of_a_version_that_failed_but_its_last_words() -> None:
    world = await start()
    world.kubelet.behave(2, crash="ValueError: 13 inputs")
    world.registry.promote(2)

    await world.settle()

    assert not world.runs(2)
    assert world.rehearsal_pods == []
    assert "ValueError: 13 inputs" in world.status.rejected[0].message
    assert any("ValueError: 13 inputs" in message for *_, message in world.events.published)


async def test_scarce_machines_are_named_and_a_surge_can_be_left_out() -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: "apply Deployment wine" in world.cluster.writes)
    world.kubelet.unschedulable = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu"
    await world.settle(patience=120)
    assert world.condition("Ready")[1] == "Unschedulable"
    assert "Insufficient nvidia.com/gpu" in world.condition("Ready")[2]

    world.kubelet.unschedulable = ""
    world.edit_spec(
        lambda spec: spec.update(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})
    )
    await world.settle()
    world.registry.promote(3)
    pods: list[int] = []
    await world.settle(lambda _: pods.append(len(world.workloads.pods(KEY))))

    assert world.served_versions == ["3", "3"]
    assert max(pods) == 2


# ---- going back ----------------------------------------------------------------------------------


async def test_a_rollback_is_not_rolled_forward_again() -> None:
    world = await start()
    world.kubelet.behave(2, crash="ValueError: 13 inputs")
    world.registry.promote(2)
    await world.settle()
    world.kubelet.heal()

    for _ in range(5):
        world.clock.advance(3600)
        world.start_operator()
        await world.settle()
    world.registry.set_tag(2, "description", "edited")
    await world.settle()

    assert world.served_versions == ["1", "1"]


async def test_a_rollback_of_a_person_holds_against_every_promotion() -> None:
    world = await start()
    world.registry.promote(2)
    await world.settle()
    world.rollback_to(1)
    await world.settle()
    for version in (3, 4):
        world.registry.promote(version)
        await world.settle()

    assert world.served_versions == ["1", "1"]
    assert world.condition("Ready")[:2] == ("True", "RolledBack")


async def test_a_return_needs_neither_gates_nor_a_rehearsal() -> None:
    world = await start()
    world.registry.promote(2)
    await world.settle()
    world.cluster.writes.clear()
    world.change("approval gate")
    world.rollback_to(1)

    await world.settle()

    assert world.served_versions == ["1", "1"]
    assert "create Pod wine-rehearsal" not in world.cluster.writes
