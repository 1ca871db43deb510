"""Which version the reference names.

Nothing here ever leads to less being served: no answer, an empty answer and a wrong answer all
keep the version that was resolved last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import ConditionType, Resolved
from regisseur_operator.core.lineage import read_digest, trace_lineage
from regisseur_operator.core.memory import (
    knows_model,
    recall,
    recall_holders,
    recall_reference,
)
from regisseur_operator.core.observed import Observed, build_reference, find_breach
from regisseur_operator.core.reachability import is_out, judge_reachability
from regisseur_operator.core.reference import (
    capitalize,
    describe,
    tell_incomplete,
    tell_missing,
    tell_not_allowed,
    tell_resolved,
    tell_unknown_registry,
)
from regisseur_operator.core.registry import EMPTY_RUN, ModelVersion, RegistryAnswer, Run
from regisseur_operator.core.verdict import Verdict, previous_verdict

UNFINISHED: Final = frozenset({"PENDING_REGISTRATION", "FAILED_REGISTRATION"})

MOST_HOLDERS: Final = 1000
"""That a status remembers; the highest numbers are kept."""

IDENTITY: Final = frozenset(
    {"registry", "model", "reference", "version", "run_id", "model_id", "source"}
)
"""What makes a version another one; notes on it, such as tags, do not."""


@dataclass(frozen=True)
class Resolution:
    """What came of looking the reference up.

    Attributes:
        resolved: What the status is to remember; the last good answer while there is no new one.
        is_fresh: Whether the registry's present answer names the version.
        verdict: The condition Resolved.
        reachable: The condition RegistryReachable.
        requeue_after_seconds: When the passing of time alone will change the answer.
        chosen: The version as the registry's present answer tells it, None without one.
        run: The run that made it.
    """

    resolved: Resolved | None
    is_fresh: bool
    verdict: Verdict
    reachable: Verdict
    requeue_after_seconds: float | None = None
    chosen: ModelVersion | None = None
    run: Run = EMPTY_RUN

    @property
    def is_answered(self) -> bool:
        """Whether the registry says now what the reference names, be it nothing."""
        return self.is_fresh or self.verdict.reason == Reason.REFERENCE_NOT_FOUND


def resolve(observed: Observed) -> Resolution:
    """Find the version that the reference names."""
    reachable, requeue_after_seconds = judge_reachability(observed)
    verdict, holders, chosen = _look_up(observed)
    if chosen is None or observed.answer is None:
        return Resolution(
            resolved=recall(observed),
            is_fresh=False,
            verdict=verdict,
            reachable=reachable,
            requeue_after_seconds=requeue_after_seconds,
        )
    return Resolution(
        resolved=_remember(observed, observed.answer, holders, chosen),
        is_fresh=True,
        verdict=verdict,
        reachable=reachable,
        requeue_after_seconds=requeue_after_seconds,
        chosen=chosen,
        run=observed.answer.runs[chosen.version],
    )


def _look_up(observed: Observed) -> tuple[Verdict, Sequence[ModelVersion], ModelVersion | None]:
    """Return the condition Resolved, all who hold the reference, and the one to follow."""
    answer, reference = observed.answer, build_reference(observed.spec)
    if breach := find_breach(observed.configuration, observed.key, reference):
        return tell_not_allowed(reference, breach), (), None
    if answer is None:
        return tell_unknown_registry(observed), (), None
    if not answer.known:
        return _keep_or_wait(observed, f"{describe(reference)} is being looked up"), (), None
    holders = [holder for holder in answer.holders if holder.status not in UNFINISHED]
    if not holders:
        return tell_missing(observed, answer, was_known=knows_model(observed)), (), None
    chosen = choose_holder(holders, recall_holders(observed, answer))
    if chosen.version not in answer.artifact_uris or chosen.version not in answer.runs:
        return _tell_incomplete(observed, answer, chosen), holders, None
    return tell_resolved(holders, chosen, reference), holders, chosen


def choose_holder(holders: Sequence[ModelVersion], memory: Resolved | None) -> ModelVersion:
    """Return the holder to serve.

    The version that newly entered the stage wins. Where none is new the choice stays, and where
    that is gone or nothing is remembered, the highest number wins: MLflow keeps no time of a
    transition.
    """
    new: list[ModelVersion] = []
    kept: list[ModelVersion] = []
    if memory is not None:
        new = [holder for holder in holders if _is_new(holder.version, memory.holders)]
        kept = [holder for holder in holders if holder.version == memory.version]
    return max(new or kept or holders, key=lambda holder: holder.version)


def _is_new(version: int, known: Sequence[int]) -> bool:
    """Tell whether a version was no holder before; of a full memory the lowest were left out."""
    if not known or version in known:
        return False
    return len(known) < MOST_HOLDERS or version > min(known)


def _remember(
    observed: Observed,
    answer: RegistryAnswer,
    holders: Sequence[ModelVersion],
    chosen: ModelVersion,
) -> Resolved:
    model, memory = observed.spec.model, recall_reference(observed)
    gated = {gate.name for gate in model.gates.metrics}
    resolved = Resolved(
        registry=model.registry,
        model=model.name,
        reference=model.reference,
        version=chosen.version,
        holders=sorted(holder.version for holder in holders)[-MOST_HOLDERS:],
        model_created_ms=answer.model_created_ms or None,
        run_id=chosen.run_id,
        model_id=chosen.model_id,
        source=answer.artifact_uris[chosen.version],
        digest=read_digest(chosen),
        lineage=trace_lineage(chosen, answer.runs[chosen.version], gated),
        resolved_at=observed.now,
    )
    if memory is not None and _is_same_version(memory, resolved):
        return resolved.model_copy(update={"resolved_at": memory.resolved_at})
    return resolved


def _is_same_version(first: Resolved, second: Resolved) -> bool:
    return first.model_dump(include=set(IDENTITY)) == second.model_dump(include=set(IDENTITY))


def _keep_or_wait(observed: Observed, message: str) -> Verdict:
    """Change nothing while there is no answer; only with nothing to keep, say what is awaited."""
    previous = previous_verdict(observed.status, ConditionType.RESOLVED)
    if previous is not None and previous.status != "Unknown" and _is_about(observed):
        return previous
    health = observed.answer.health if observed.answer is not None else None
    if health is not None and health.failing_since is not None:
        where = f"Registry {observed.spec.model.registry!r}"
        return _wait(observed, f"{where} gives no answer: {health.message}")
    return _wait(observed, capitalize(message))


def _tell_incomplete(observed: Observed, answer: RegistryAnswer, chosen: ModelVersion) -> Verdict:
    """Say so when it is another version that cannot be read than the one that is followed."""
    memory = recall_reference(observed)
    if memory is None or memory.version == chosen.version or not is_out(observed):
        return _keep_or_wait(observed, tell_incomplete(chosen, answer))
    text = f"{capitalize(describe(build_reference(observed.spec)))} is version {chosen.version}"
    return _wait(
        observed, f"{text}, which cannot be followed yet. {tell_incomplete(chosen, answer)}"
    )


def _wait(observed: Observed, message: str) -> Verdict:
    health = observed.answer.health if observed.answer is not None else None
    if health is None or health.failing_since is None:
        return Verdict("Unknown", Reason.WAITING_FOR_REGISTRY, message)
    reason = Reason.REGISTRY_DENIED if health.denied else Reason.REGISTRY_UNREACHABLE
    return Verdict("Unknown", reason, message)


def _is_about(observed: Observed) -> bool:
    """Whether what the condition Resolved says was said about the present reference."""
    return recall_reference(observed) is not None or any(
        condition.type == ConditionType.RESOLVED
        and condition.observed_generation == observed.generation
        for condition in observed.status.conditions
    )
