"""What is remembered of a reference: the versions that held it, and the one that was followed.

The status remembers; where it was lost, the Deployment does. What is remembered counts only for
the very same model: one that was deleted and made again counts its versions from 1 again, and
their numbers must not be taken for those of the old one.
"""

from regisseur_operator.api.status import Lineage, Resolved
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.registry import ModelVersion, RegistryAnswer


def recall(observed: Observed) -> Resolved | None:
    """Return the last good answer; with an empty status, what the Deployment was rolled from."""
    if observed.status.resolved is not None:
        return observed.status.resolved
    roll = observed.live_roll
    if roll is None:
        return None
    served, model = roll.inputs.served, observed.spec.model
    is_followed = (served.registry, served.model) == (model.registry, model.name)
    return Resolved(
        registry=served.registry,
        model=served.model,
        reference=model.reference if is_followed else str(served.version),
        version=served.version,
        run_id=served.run_id,
        model_id=served.model_id,
        source=served.source,
        digest=roll.inputs.digest,
        lineage=roll.lineage if roll.lineage != Lineage() else None,
        resolved_at=roll.started_at,
    )


def recall_reference(observed: Observed) -> Resolved | None:
    """Return the last good answer if it is about what the spec follows now."""
    last, model = observed.status.resolved, observed.spec.model
    if last is None or not knows_model(observed):
        return None
    return last if last.reference == model.reference else None


def knows_model(observed: Observed) -> bool:
    """Tell whether the model that the spec follows was found before."""
    last, model = recall(observed), observed.spec.model
    return last is not None and (last.registry, last.model) == (model.registry, model.name)


def recall_holders(observed: Observed, answer: RegistryAnswer) -> Resolved | None:
    """Return what tells which versions newly hold the reference; None without such a memory.

    Memory rebuilt from the Deployment names no holders, so that none is new to it.
    """
    if observed.status.resolved is None:
        memory = recall(observed) if knows_model(observed) else None
    else:
        memory = recall_reference(observed)
    if memory is None or _is_of_another_model(memory, answer):
        return None
    return memory


def _is_of_another_model(memory: Resolved, answer: RegistryAnswer) -> bool:
    """Tell whether the model was made again since; the same number names another version then."""
    if memory.model_created_ms and answer.model_created_ms:
        return memory.model_created_ms != answer.model_created_ms
    same_number = (held for held in answer.holders if held.version == memory.version)
    return any(is_another(memory, holder) for holder in same_number)


def is_another(memory: Resolved, holder: ModelVersion) -> bool:
    """Tell whether a version is not the one that is remembered under its number."""
    known = [(memory.run_id, holder.run_id), (memory.model_id, holder.model_id)]
    return any(before and now and before != now for before, now in known)
