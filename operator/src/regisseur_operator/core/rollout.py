"""What is to be done next: which roll the Deployment carries, and what is in the way of the wanted.

All strategies are one machine, stable and candidate: a roll makes a candidate, and a candidate
that replaced all pods of the stable version is the stable version (see `progress`). So far the
strategies are the Deployment's own. A strategy with a second Deployment (canary, blueGreen) comes
in between: `admit` gives the roll that may meet traffic, and such a strategy decides how much of it
there is beside the stable pods before the Deployment takes it.
"""

from dataclasses import replace
from typing import Final

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import ConditionType, RehearsalState, Rejection
from regisseur_operator.core.admission import admit
from regisseur_operator.core.current import (
    bring_back,
    find_current,
    find_proven,
    find_revision,
    find_stable,
)
from regisseur_operator.core.decision import Decision, Scene, tell_rejected
from regisseur_operator.core.faults import is_changed_artifact
from regisseur_operator.core.notes import Note
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.resolution import Resolution
from regisseur_operator.core.roll import PodInputs, Roll, Served, is_alike
from regisseur_operator.core.trial import find_rejection, is_about, name_restart, name_trial
from regisseur_operator.core.verdict import Verdict, previous_verdict
from regisseur_operator.core.wanted import (
    build_inputs,
    choose_digest,
    choose_image,
    choose_served,
    lacks_image,
    to_served,
)

NEEDS_A_PERSON: Final = frozenset(
    {Reason.GATE_UNMET, Reason.IMAGE_UNKNOWN, Reason.NOT_ALLOWED, Reason.VERSION_REJECTED}
)
HOLDING: Final = NEEDS_A_PERSON | {
    Reason.QUEUED,
    Reason.REHEARSAL_RUNNING,
    Reason.REHEARSAL_HELD,
}
"""What keeps a version from being rolled out."""


def decide_rollout(observed: Observed, resolution: Resolution) -> Decision:
    """Decide what comes next; the same world gives the same decision."""
    current = find_current(observed)
    stable = find_stable(observed, current)
    served = choose_served(resolution, current)
    rejected = _recall_rejections(observed, resolution, served, current, stable)
    if _is_rejected(current, stable, rejected) and stable is not None:
        current = bring_back(observed, stable)
    scene = Scene(observed, resolution, current, stable, rejected)
    if observed.spec.rollback_to is not None:
        decision = _roll_back(scene, observed.spec.rollback_to)
    elif served is not None:
        decision = _follow_named(scene, served)
    else:
        decision = scene.stay()
    return _restart(scene, decision)


def _recall_rejections(
    observed: Observed,
    resolution: Resolution,
    served: Served | None,
    current: Roll | None,
    stable: Roll | None,
) -> tuple[Rejection, ...]:
    """Return what still counts: nothing after a retry, and nothing about a version left behind."""
    if observed.is_retried:
        return ()
    kept = observed.status.rejected
    if not resolution.is_fresh or served is None or observed.spec.rollback_to is not None:
        return tuple(kept)
    # The roll in place may be of a version left behind, and has failed none the less.
    in_place = current.key if current is not None else None
    present = [served] if stable is None else [served, stable.inputs.served]
    return tuple(
        entry
        for entry in kept
        if entry.key == in_place or any(is_about(entry.key, version) for version in present)
    )


def _is_rejected(
    current: Roll | None, stable: Roll | None, rejected: tuple[Rejection, ...]
) -> bool:
    """Whether the roll in place failed on its way; what was complete once is never undone."""
    if current is None or stable is None or current.revision == stable.revision:
        return False
    return find_rejection(rejected, current.key) is not None


# ---- where to go -----------------------------------------------------------------------------


def _roll_back(scene: Scene, number: int) -> Decision:
    """Go to a revision of the history, word for word; it was accepted before."""
    target = find_revision(scene.observed, number)
    if target is None:
        return scene.stay(_tell_unknown_revision(scene.observed, number))
    current = scene.current
    if current is not None and is_alike(current, target):
        return scene.stay()
    rejection = find_rejection(scene.rejected, target.key)
    if rejection is not None and scene.stable is not None:
        return scene.stay(tell_rejected(rejection))
    if scene.stable is not None and target.revision == scene.stable.revision:
        return replace(scene.stay(), roll=bring_back(scene.observed, scene.stable))
    return scene.begin(target.inputs, target.lineage, target.key, target)


def _follow_named(scene: Scene, served: Served) -> Decision:
    """Go to the version that the reference names; while a person is awaited, go on without it.

    A rollout in flight of a version that nobody names any more is ended then, and what the spec
    says of the pods goes for the version that is served.
    """
    decision, stable = _follow(scene, served), scene.stable
    if not scene.resolution.is_fresh:
        return replace(decision, hold=decision.hold or _recall_hold(scene, served))
    hold = decision.hold
    if hold is None or hold.reason not in NEEDS_A_PERSON or stable is None:
        return decision
    if scene.current is not None and scene.current.inputs.served not in {
        served,
        stable.inputs.served,
    }:
        scene = replace(scene, current=bring_back(scene.observed, stable))
        decision = replace(decision, roll=scene.current)
    if decision.trial is not None or stable.inputs.served == served:
        return decision
    meanwhile = _follow(scene, stable.inputs.served)
    also = f". {meanwhile.hold.message}" if meanwhile.hold is not None else ""
    hold = replace(hold, message=f"{hold.message}{also}")
    pauses = (decision.requeue_after_seconds, meanwhile.requeue_after_seconds)
    soonest = min((pause for pause in pauses if pause is not None), default=None)
    return replace(meanwhile, hold=hold, needs_attention=True, requeue_after_seconds=soonest)


def _recall_hold(scene: Scene, served: Served) -> Verdict | None:
    """Return what held the named version back, while the registry cannot be asked about it.

    What runs goes on as long; but it is not what is wanted, and the status says why not.
    """
    resolution, status = scene.resolution, scene.observed.status
    named = resolution.resolved if resolution.verdict.status == "True" else None
    if named is None or served == to_served(named):
        return None
    previous = previous_verdict(status, ConditionType.PROGRESSING)
    return previous if previous is not None and previous.reason in HOLDING else None


def _follow(scene: Scene, served: Served) -> Decision:
    """Go to the version that the reference names."""
    observed, current = scene.observed, scene.current
    image = choose_image(observed, scene.resolution, served, current)
    if isinstance(image, Verdict):
        return replace(scene.stay(image), needs_attention=True)
    inputs = build_inputs(observed, served, image, current)
    if inputs is None:
        return scene.stay()
    key = name_trial(inputs, observed.spec, choose_digest(scene.resolution, served, current))
    if _is_wanted(current, inputs) and not _is_renewed(scene, key):
        is_unpullable = current is not None and lacks_image(observed, current)
        return replace(scene.stay(), needs_attention=is_unpullable)
    rejection = find_rejection(scene.rejected, key)
    if rejection is not None:
        return replace(scene.stay(tell_rejected(rejection)), needs_attention=True)
    if _is_wanted(current, inputs):
        return admit(scene, inputs, key)
    return _return(scene, inputs, key) or admit(scene, inputs, key)


def _return(scene: Scene, inputs: PodInputs, key: str) -> Decision | None:
    """Go back at once to what was complete before: it has proven itself.

    Under the present key: should it fail this time, it is this try that is rejected.
    """
    if scene.stable is not None and _is_wanted(scene.stable, inputs):
        return replace(scene.stay(), roll=bring_back(scene.observed, scene.stable))
    proven = next((roll for roll in find_proven(scene.observed) if _is_wanted(roll, inputs)), None)
    if proven is None:
        return None
    return scene.begin(proven.inputs, proven.lineage, key, proven)


def _is_wanted(roll: Roll | None, inputs: PodInputs) -> bool:
    """Whether a roll brings what the spec and the registry ask for."""
    return roll is not None and roll.inputs.wish == inputs.wish


def _is_renewed(scene: Scene, key: str) -> bool:
    """Whether the files were changed under a version that serves, and a person accepts that."""
    observed, current = scene.observed, scene.current
    if current is None or not current.inputs.digest or not is_changed_artifact(observed):
        return False
    known = observed.status.rehearsal
    if observed.is_retried or known is None or known.key != key:
        return observed.is_retried
    digest = known.facts.digest if known.facts is not None else ""
    return known.state != RehearsalState.PASSED or digest != current.inputs.digest


# ---- verbs -----------------------------------------------------------------------------------


def _restart(scene: Scene, decision: Decision) -> Decision:
    """Replace the pods of whatever is to run, when a person asks for it."""
    roll, observed = decision.roll, scene.observed
    token = observed.verbs.restart
    if roll is None or not token or roll.inputs.restart == token:
        return decision
    key = name_restart(roll.key, token)
    rejection = find_rejection(observed.status.rejected, key)
    if observed.is_restarted or (rejection is not None and observed.is_retried):
        trusted = observed.configuration.policy(roll.inputs.served.registry).trusts_pickle
        inputs = replace(roll.inputs, restart=token, trusts_pickle=trusted)
        begun = scene.begin(inputs, roll.lineage, key, None)
        return replace(decision, roll=begun.roll)
    if rejection is not None and decision.hold is None:
        return replace(decision, hold=tell_rejected(rejection))
    return decision


# ---- what is said ----------------------------------------------------------------------------


def _tell_unknown_revision(observed: Observed, number: int) -> Verdict:
    known = ", ".join(str(roll.revision) for roll in observed.revisions) or "none"
    message = (
        f"spec.rollbackTo is {number}, which is not kept; these are: {known}. Correct it or take"
        " it out; what runs goes on running"
    )
    return Verdict("False", Reason.REVISION_NOT_FOUND, message)


def tell_roll(observed: Observed, roll: Roll, rejected: tuple[Rejection, ...]) -> tuple[Note, ...]:
    """Tell of a roll that begins now, or that comes back."""
    live, status = observed.live_roll, observed.status
    if live is not None and live.revision == roll.revision:
        return ()
    known = {part.revision for part in (status.stable, status.candidate) if part is not None}
    if roll.revision in known and (live is None or roll.revision > live.revision):
        return ()  # it goes on after other hands
    if live is None:
        return (_tell_start(roll, None),)
    if roll.revision < live.revision:
        return (_tell_return(roll, live, rejected),)
    if live.revision <= (roll.from_revision or 0):
        return (_tell_start(roll, live),)
    superseded = f"Rollout {live.revision} of version {live.version} ends before it was complete"
    return (Note("Normal", Reason.ROLLOUT_SUPERSEDED, superseded), _tell_start(roll, live))


def _tell_start(roll: Roll, live: Roll | None) -> Note:
    text = f"Rollout {roll.revision} brings version {roll.version}"
    if live is not None and live.inputs.served == roll.inputs.served:
        text = f"Rollout {roll.revision} brings a changed pod of version {roll.version}"
    elif live is not None:
        text = f"Rollout {roll.revision} brings version {roll.version} after {live.version}"
    return Note("Normal", Reason.ROLLOUT_STARTED, text)


def _tell_return(roll: Roll, live: Roll, rejected: tuple[Rejection, ...]) -> Note:
    back = f"revision {roll.revision} (version {roll.version}) is put back"
    rejection = find_rejection(rejected, live.key)
    if rejection is None:
        text = f"Rollout {live.revision} of version {live.version} ends before it was complete"
        return Note("Normal", Reason.ROLLOUT_SUPERSEDED, f"{text}; {back}")
    text = f"Rollout {live.revision} of version {live.version} failed: {rejection.message}"
    return Note("Warning", Reason.ROLLOUT_FAILED, f"{text}; {back}")
