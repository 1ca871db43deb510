"""All children of a ModelDeployment together."""

from collections.abc import Sequence
from dataclasses import replace

from regisseur_operator.core.current import find_proven
from regisseur_operator.core.decision import Decision
from regisseur_operator.core.observed import Child, Observed
from regisseur_operator.core.planner import Delete, Desired
from regisseur_operator.core.rehearsal import is_outdated, needs_pod
from regisseur_operator.core.retention import find_outdated
from regisseur_operator.core.roll import Roll
from regisseur_operator.core.rollout import tell_roll
from regisseur_operator.resources import (
    AUTOSCALER,
    CONTROLLER_REVISION,
    DEPLOYMENT,
    POD,
    POD_DISRUPTION_BUDGET,
    SERVICE,
)
from regisseur_operator.resources.autoscaler import build_autoscaler
from regisseur_operator.resources.deployment import build_deployment
from regisseur_operator.resources.disruption import build_disruption_budget
from regisseur_operator.resources.pods import build_pod_template
from regisseur_operator.resources.rehearsal import build_rehearsal_pod
from regisseur_operator.resources.revision import build_revision, name_revision
from regisseur_operator.resources.service import build_service


def build_children(observed: Observed, decision: Decision) -> Sequence[Desired]:
    """Return what is to exist, in the order of writing.

    The Deployment is last: when its pods come up, they are already reachable and protected, and
    their roll can be brought back.
    """
    return (*_build_serving(observed, decision), *_build_rehearsal(observed, decision))


def find_leftovers(observed: Observed, decision: Decision) -> Sequence[Delete]:
    """Return what has done its part."""
    return (
        *_find_rehearsal(observed, decision),
        *_find_autoscaler(observed),
        *_find_revisions(observed, decision.roll),
    )


def _build_serving(observed: Observed, decision: Decision) -> Sequence[Desired]:
    if decision.roll is None:
        return ()
    roll = decision.roll
    template = roll.template or build_pod_template(observed.key.name, roll.inputs, roll.lineage)
    roll = replace(roll, template=template)
    notes = tell_roll(observed, roll, decision.rejected)
    bounds = observed.spec.autoscaling
    autoscaler = [] if bounds is None else [build_autoscaler(observed, bounds)]
    return (
        Desired(POD_DISRUPTION_BUDGET, build_disruption_budget(observed)),
        Desired(SERVICE, build_service(observed)),
        *(Desired(AUTOSCALER, manifest) for manifest in autoscaler),
        Desired(CONTROLLER_REVISION, build_revision(observed, roll, template), is_fixed=True),
        Desired(DEPLOYMENT, build_deployment(observed, roll), notes),
    )


def _build_rehearsal(observed: Observed, decision: Decision) -> Sequence[Desired]:
    if decision.trial is None or decision.rehearsal is None:
        return ()
    if not needs_pod(observed, decision.rehearsal):
        return ()
    return (Desired(POD, build_rehearsal_pod(observed, decision.trial), is_fixed=True),)


def _find_rehearsal(observed: Observed, decision: Decision) -> Sequence[Delete]:
    pod = observed.rehearsal_pod
    if pod is None or not is_outdated(observed, decision.rehearsal):
        return ()
    if decision.trial is None and not decision.is_certain:
        return ()
    return (Delete(POD, pod.name, pod.uid),)


def _find_autoscaler(observed: Observed) -> Sequence[Delete]:
    if observed.spec.autoscaling is not None:
        return ()
    return [_to_delete(child) for child in observed.children if child.kind == AUTOSCALER]


def _find_revisions(observed: Observed, roll: Roll | None) -> Sequence[Delete]:
    """Return the revisions beyond the limit; what may be needed next is kept whatever its age."""
    status, spec = observed.status, observed.spec
    parts = (status.stable, status.candidate)
    kept = {part.revision for part in parts if part is not None}
    kept |= {number for number in (spec.rollback_to,) if number is not None}
    if roll is not None:
        kept |= {roll.revision, roll.from_revision or roll.revision}
    numbers = [revision.revision for revision in observed.revisions]
    proven = [revision.revision for revision in find_proven(observed)]
    outdated = find_outdated(numbers, spec.revision_history_limit, kept, proven)
    names = {name_revision(observed.key.name, number) for number in outdated}
    return [
        _to_delete(child)
        for child in observed.children
        if child.kind == CONTROLLER_REVISION and child.name in names
    ]


def _to_delete(child: Child) -> Delete:
    return Delete(child.kind, child.name, str(child.manifest["metadata"]["uid"]))
