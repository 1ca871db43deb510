"""What a try has to pass before it meets traffic: its gates, then its rehearsal.

Both the rehearsal and the rollout begin when it is this ModelDeployment's turn.
"""

from dataclasses import replace

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import Lineage, Rehearsal, RehearsalState
from regisseur_operator.core.decision import (
    Decision,
    Scene,
    add_rejection,
    tell_rejected,
    to_rejection,
)
from regisseur_operator.core.gates import judge_gates
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.rehearsal import (
    judge_rehearsal,
    recall_rehearsal,
    seconds_until_due,
)
from regisseur_operator.core.roll import PodInputs, Roll, Served
from regisseur_operator.core.trial import Trial
from regisseur_operator.core.turns import Turn
from regisseur_operator.core.verdict import Verdict
from regisseur_operator.core.wanted import choose_digest, choose_lineage


def admit(scene: Scene, inputs: PodInputs, key: str) -> Decision:
    """Let a try through its gates and its rehearsal, then roll to it."""
    observed = scene.observed
    lineage = choose_lineage(scene.resolution, inputs.served, scene.current)
    held = _check_gates(scene, inputs.served)
    if held is not None:
        return held
    if not observed.spec.rehearsal.enabled:
        return _begin(scene, inputs, lineage, key)
    trial = _build_trial(scene, inputs, lineage, key)
    rehearsal = judge_rehearsal(observed, trial)
    is_told = rehearsal == observed.status.rehearsal and not observed.is_retried
    if rehearsal.state == RehearsalState.PASSED and is_told and rehearsal.facts is not None:
        pinned = replace(inputs, digest=rehearsal.facts.digest)
        return replace(_begin(scene, pinned, lineage, key), rehearsal=rehearsal)
    if rehearsal.state == RehearsalState.RUNNING and not _may_rehearse(observed, key):
        held = _await_turn(scene, Turn.REHEARSAL, inputs)
        return replace(held, rehearsal=recall_rehearsal(observed, key))
    return _await_rehearsal(scene, trial, rehearsal)


def _begin(scene: Scene, inputs: PodInputs, lineage: Lineage, key: str) -> Decision:
    if Turn.ROLLOUT not in scene.observed.turns:
        return _await_turn(scene, Turn.ROLLOUT, inputs)
    return scene.begin(inputs, lineage, key, None)


def _may_rehearse(observed: Observed, key: str) -> bool:
    """Whether the pod may be made; one that is there goes on whatever else begins."""
    pod = observed.rehearsal_pod
    return Turn.REHEARSAL in observed.turns or (pod is not None and pod.key == key)


def _await_turn(scene: Scene, turn: Turn, inputs: PodInputs) -> Decision:
    message = (
        f"Version {inputs.served.version} waits for its turn: as many {turn}s are under way as the"
        " operator allows at once"
    )
    hold = Verdict("True", Reason.QUEUED, message)
    return replace(scene.stay(hold), needs_attention=True, waits_for=turn)


def _check_gates(scene: Scene, served: Served) -> Decision | None:
    """Hold a version that does not meet what is asked of it; it need not be better than itself."""
    observed, resolution, before = scene.observed, scene.resolution, scene.baseline
    gates = observed.spec.model.gates
    if any(roll is not None and roll.inputs.served == served for roll in (before, scene.current)):
        return None
    if resolution.chosen is None:
        is_open = not (gates.metrics or gates.required_tags or gates.min_age_seconds)
        return None if is_open else scene.stay(_tell_unjudged(served))
    lineage = _find_lineage(observed, before) if before is not None else None
    verdict = judge_gates(gates, resolution.chosen, resolution.run, lineage, observed.now)
    if verdict.is_met:
        return None
    message = f"Version {served.version} waits at its gates: {verdict.message}"
    return replace(
        scene.stay(Verdict("False", Reason.GATE_UNMET, message)),
        needs_attention=True,
        requeue_after_seconds=verdict.requeue_after_seconds,
    )


def _find_lineage(observed: Observed, place: Roll) -> Lineage:
    """Return where the served version comes from, as it was read last: for the gates of today."""
    stable = observed.status.stable
    if stable is None or stable.lineage is None or stable.revision != place.revision:
        return place.lineage
    return stable.lineage


def _build_trial(scene: Scene, inputs: PodInputs, lineage: Lineage, key: str) -> Trial:
    spec, before = scene.observed.spec, scene.baseline
    is_other = before is not None and before.inputs.served != inputs.served
    # The pod asks one registry for files: those of a version of another one are not there.
    is_near = before is not None and before.inputs.served.registry == inputs.served.registry
    return Trial(
        key=key,
        inputs=inputs,
        lineage=lineage,
        expected_digest=choose_digest(scene.resolution, inputs.served, scene.current),
        served_source=before.inputs.served.source if before and is_other and is_near else "",
        timeout_seconds=spec.rehearsal.timeout_seconds,
        requirements=spec.rehearsal.requirements,
        signature=spec.model.gates.signature,
    )


def _await_rehearsal(scene: Scene, trial: Trial, rehearsal: Rehearsal) -> Decision:
    version, rejected = rehearsal.version, scene.rejected
    if rehearsal.state == RehearsalState.FAILED:
        rejected = add_rejection(rejected, to_rejection(rehearsal, scene.observed.now))
        hold = tell_rejected(rejected[0])
    elif rehearsal.state == RehearsalState.HELD:
        message = f"The rehearsal of version {version} is held up: {rehearsal.message}"
        hold = Verdict("False", Reason.REHEARSAL_HELD, message)
    else:
        message = f"Version {version} is being rehearsed before it meets traffic"
        hold = Verdict("True", Reason.REHEARSAL_RUNNING, message)
    pause = seconds_until_due(scene.observed, rehearsal)
    return replace(
        scene.stay(hold),
        trial=trial,
        rehearsal=rehearsal,
        rejected=rejected,
        needs_attention=True,
        requeue_after_seconds=max(pause, 1.0) if pause > 0 else None,
    )


def _tell_unjudged(served: Served) -> Verdict:
    message = f"Version {served.version} waits at its gates until the registry answers again"
    return Verdict("False", Reason.GATE_UNMET, message)
