"""Which pods are to run: the roll that goes on, and when a new one begins.

All strategies are one machine, stable and candidate: a roll makes a candidate, and a candidate
that replaced all pods of the stable version is the stable version (see `progress`). So far the
only strategy is the Deployment's own rolling update; a strategy with a second Deployment decides
here how much of the candidate there is beside the stable pods.
"""

from datetime import datetime

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import ModelDeploymentStatus, Resolved
from regisseur_operator.core.notes import Note
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.resolution import Resolution
from regisseur_operator.core.roll import PodInputs, Roll, Served


def next_roll(observed: Observed, resolution: Resolution) -> Roll | None:
    """Return the roll that the Deployment is to carry, None where nothing can run yet.

    The live roll is returned as it is while its inputs hold: same revision, same template.
    """
    live = _current_roll(observed)
    served = _choose_served(resolution, live)
    inputs = _choose_inputs(observed, served, live) if served is not None else None
    if inputs is None:
        return live
    if live is None:
        return _resume(observed, inputs) or _begin(observed, inputs, live)
    if live.inputs.fingerprint == inputs.fingerprint:
        return live
    return _begin(observed, inputs, live)


def _current_roll(observed: Observed) -> Roll | None:
    """Return the live roll unless the status knows a later one.

    `kubectl rollout undo` brings the annotations of the old ReplicaSet back: whole, but outdated.
    """
    live, status = observed.deployment.roll if observed.deployment else None, observed.status
    known = [part.revision for part in (status.stable, status.candidate) if part is not None]
    if live is None or live.revision < max(known, default=0):
        return None
    return live


def _choose_served(resolution: Resolution, live: Roll | None) -> Served | None:
    """Take the registry's word if it gives one; else go on with what runs, or ran."""
    if live is not None and not resolution.is_fresh:
        return live.inputs.served
    if resolution.resolved is None:
        return None
    return _to_served(resolution.resolved)


def _to_served(resolved: Resolved) -> Served:
    return Served(
        registry=resolved.registry,
        model=resolved.model,
        version=resolved.version,
        run_id=resolved.run_id,
        model_id=resolved.model_id,
        source=resolved.source,
    )


def _choose_inputs(observed: Observed, served: Served, live: Roll | None) -> PodInputs | None:
    registry_url = observed.configuration.registry_urls.get(served.registry)
    if registry_url is None and live is not None:
        registry_url = live.inputs.registry_url
    if registry_url is None:
        return None
    resources = observed.spec.serving.resources
    return PodInputs(
        served=served,
        image=observed.spec.serving.image or _default_image(observed, served, live),
        is_default_image=not observed.spec.serving.image,
        registry_url=registry_url,
        requests=dict(resources.requests),
        limits=dict(resources.limits),
    )


def _default_image(observed: Observed, served: Served, live: Roll | None) -> str:
    """Keep the default image of the version's first roll; take a new one with the next version."""
    if live is not None and live.inputs.is_default_image and live.inputs.served == served:
        return live.inputs.image
    if live is None:
        for known in (observed.status.candidate, observed.status.stable):
            if known is not None and known.version == served.version and known.image:
                return known.image
    return observed.configuration.default_image


def _resume(observed: Observed, inputs: PodInputs) -> Roll | None:
    """Take up the roll that the status tells of, after its Deployment was deleted or spoilt."""
    status = observed.status
    stable, candidate = status.stable, status.candidate
    version, image = inputs.served.version, inputs.image
    if candidate is not None and (candidate.version, candidate.image) == (version, image):
        return Roll(
            revision=candidate.revision,
            from_version=stable.version if stable is not None else None,
            from_revision=stable.revision if stable is not None else None,
            started_at=candidate.started_at or observed.now,
            inputs=inputs,
        )
    if stable is not None and (stable.version, stable.image) == (version, image):
        return Roll(
            revision=stable.revision,
            from_version=_previous_version(status, stable.revision),
            from_revision=None,
            started_at=stable.since or observed.now,
            inputs=inputs,
        )
    return None


def _previous_version(status: ModelDeploymentStatus, revision: int) -> int | None:
    entries = (entry.from_version for entry in status.history if entry.revision == revision)
    return next(entries, None)


def _begin(observed: Observed, inputs: PodInputs, live: Roll | None) -> Roll:
    from_version, from_revision = _find_origin(observed, live)
    return Roll(
        revision=_last_revision(observed.status, live) + 1,
        from_version=from_version,
        from_revision=from_revision,
        started_at=_whole_seconds(observed.now),
        inputs=inputs,
    )


def _find_origin(observed: Observed, live: Roll | None) -> tuple[int | None, int | None]:
    """Return version and revision of what served last; a roll that never ended brought nothing."""
    stable, deployment = observed.status.stable, observed.deployment
    if stable is not None:
        return stable.version, stable.revision
    if live is None or deployment is None:
        return None, None
    if deployment.is_rolled_out:
        return live.version, live.revision
    return live.from_version, live.from_revision


def _last_revision(status: ModelDeploymentStatus, live: Roll | None) -> int:
    known = [entry.revision for entry in status.history]
    known += [part.revision for part in (status.stable, status.candidate) if part is not None]
    known += [live.revision] if live is not None else []
    return max(known, default=0)


def _whole_seconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def tell_roll(observed: Observed, roll: Roll) -> tuple[Note, ...]:
    """Tell of a roll that begins now."""
    live = observed.deployment.roll if observed.deployment is not None else None
    status = observed.status
    known = {part.revision for part in (status.stable, status.candidate) if part is not None}
    if roll == live or roll.revision in known:
        return ()
    started = Note("Normal", Reason.ROLLOUT_STARTED, _describe_start(roll, live))
    if live is None or live.revision <= (roll.from_revision or 0):
        return (started,)
    superseded = f"Rollout {live.revision} of version {live.version} ends before it was complete"
    return (Note("Normal", Reason.ROLLOUT_SUPERSEDED, superseded), started)


def _describe_start(roll: Roll, live: Roll | None) -> str:
    if live is None:
        return f"Rollout {roll.revision} brings version {roll.version}"
    if live.inputs.served == roll.inputs.served:
        return f"Rollout {roll.revision} brings a changed pod of version {roll.version}"
    return f"Rollout {roll.revision} brings version {roll.version} after {live.version}"
