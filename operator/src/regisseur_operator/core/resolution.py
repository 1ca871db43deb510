"""Which version the reference names, and what to say where it names none.

Nothing here ever leads to less being served: no answer, an empty answer and a wrong answer all
keep the version that was resolved last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import ConditionType, Resolved
from regisseur_operator.core.observed import Observed, build_reference
from regisseur_operator.core.registry import (
    EMPTY_RUN,
    ModelVersion,
    Reference,
    RegistryAnswer,
    Run,
)
from regisseur_operator.core.verdict import Verdict, previous_verdict

UNREACHABLE_AFTER: Final = timedelta(seconds=30)
"""How long a registry may fail before it is called unreachable: a restart is no outage."""

UNFINISHED: Final = frozenset({"PENDING_REGISTRATION", "FAILED_REGISTRATION"})


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


def resolve(observed: Observed) -> Resolution:
    """Find the version that the reference names."""
    reachable, requeue_after_seconds = _judge_reachability(observed)
    resolved, chosen, verdict = _look_up(observed)
    runs = observed.answer.runs if observed.answer is not None else {}
    return Resolution(
        resolved=resolved or _recall(observed),
        is_fresh=resolved is not None,
        verdict=verdict,
        reachable=reachable,
        requeue_after_seconds=requeue_after_seconds,
        chosen=chosen,
        run=runs.get(chosen.version, EMPTY_RUN) if chosen is not None else EMPTY_RUN,
    )


def _look_up(observed: Observed) -> tuple[Resolved | None, ModelVersion | None, Verdict]:
    answer, reference = observed.answer, build_reference(observed.spec)
    if answer is None:
        return None, None, _registry_unknown(observed)
    if not answer.known:
        waiting = f"{describe(reference)} is being looked up"
        return None, None, _previous_or_waiting(observed, waiting)
    holders = [holder for holder in answer.holders if holder.status not in UNFINISHED]
    if not holders:
        return None, None, _nothing_found(answer, reference)
    chosen = choose_holder(holders, _memory_or_live(observed))
    if chosen.version not in answer.artifact_uris:
        return None, None, _previous_or_waiting(observed, _files_unknown(chosen, answer))
    verdict = _name_holders(holders, chosen, reference)
    return _remember(observed, holders, chosen, answer), chosen, verdict


def choose_holder(holders: Sequence[ModelVersion], memory: Resolved | None) -> ModelVersion:
    """Return the holder to serve.

    The version that newly entered the stage wins. Where none is new the choice stays, and where
    that is gone or nothing is remembered, the highest number wins: MLflow keeps no time of a
    transition. A memory rebuilt from the Deployment names no holders, so that none is new to it.
    """
    new: list[ModelVersion] = []
    kept: list[ModelVersion] = []
    if memory is not None:
        if memory.holders:
            new = [holder for holder in holders if holder.version not in memory.holders]
        kept = [holder for holder in holders if holder.version == memory.version]
    return max(new or kept or holders, key=lambda holder: holder.version)


def _memory(observed: Observed) -> Resolved | None:
    last, model = observed.status.resolved, observed.spec.model
    if last is None:
        return None
    is_same = (last.registry, last.model, last.reference) == (
        model.registry,
        model.name,
        model.reference,
    )
    return last if is_same else None


def _memory_or_live(observed: Observed) -> Resolved | None:
    """With a lost status, what the Deployment was rolled from; only if it is the same model."""
    if observed.status.resolved is not None:
        return _memory(observed)
    recalled, model = _recall(observed), observed.spec.model
    if recalled is None or (recalled.registry, recalled.model) != (model.registry, model.name):
        return None
    return recalled


def _remember(
    observed: Observed,
    holders: Sequence[ModelVersion],
    chosen: ModelVersion,
    answer: RegistryAnswer,
) -> Resolved:
    model, memory = observed.spec.model, _memory(observed)
    resolved = Resolved(
        registry=model.registry,
        model=model.name,
        reference=model.reference,
        version=chosen.version,
        holders=sorted(holder.version for holder in holders),
        run_id=chosen.run_id,
        model_id=chosen.model_id,
        source=answer.artifact_uris[chosen.version],
        resolved_at=observed.now,
    )
    if memory is not None and _is_same_version(memory, resolved):
        return resolved.model_copy(update={"resolved_at": memory.resolved_at})
    return resolved


def _is_same_version(first: Resolved, second: Resolved) -> bool:
    changing = {"holders", "resolved_at"}
    return first.model_dump(exclude=changing) == second.model_dump(exclude=changing)


def _recall(observed: Observed) -> Resolved | None:
    """Return the last good answer; with an empty status, what the Deployment was rolled from."""
    if observed.status.resolved is not None:
        return observed.status.resolved
    roll = observed.deployment.roll if observed.deployment is not None else None
    if roll is None:
        return None
    served = roll.inputs.served
    model = observed.spec.model
    is_followed = (served.registry, served.model) == (model.registry, model.name)
    return Resolved(
        registry=served.registry,
        model=served.model,
        reference=model.reference if is_followed else str(served.version),
        version=served.version,
        run_id=served.run_id,
        model_id=served.model_id,
        source=served.source,
        resolved_at=roll.started_at,
    )


# ---- what is said ----------------------------------------------------------------------------


def describe(reference: Reference) -> str:
    """Name what is looked up, with everything that a person needs to find a typing mistake."""
    return f"{_describe_pointer(reference)} of model {reference.model!r}"


def _describe_pointer(reference: Reference) -> str:
    if reference.stage is not None:
        return f"stage {reference.stage}"
    if reference.alias is not None:
        return f"alias {reference.alias!r}"
    return f"version {reference.version}"


def _name_holders(
    holders: Sequence[ModelVersion], chosen: ModelVersion, reference: Reference
) -> Verdict:
    if len(holders) == 1:
        message = f"{describe(reference)} is version {chosen.version}"
        return Verdict("True", Reason.VERSION_RESOLVED, _capitalize(message))
    numbers = ", ".join(str(holder.version) for holder in holders)
    return Verdict(
        "True",
        Reason.SEVERAL_HOLDERS,
        f"Versions {numbers} of model {reference.model!r} are all in stage {reference.stage};"
        f" version {chosen.version} is followed. Archive the others to be unambiguous",
    )


def _nothing_found(answer: RegistryAnswer, reference: Reference) -> Verdict:
    where = f"registry {reference.registry!r}"
    if answer.holders:
        pending = answer.holders[-1]
        return Verdict(
            "False",
            Reason.REFERENCE_NOT_FOUND,
            f"{_capitalize(describe(reference))} is version {pending.version}, whose registration"
            f" is {pending.status} in {where}; it is not followed before it is READY",
        )
    if not answer.model_exists:
        message = (
            f"There is no model {reference.model!r} in {where}"
            f" (looked for its {_describe_pointer(reference)}); register it, or correct"
            " spec.model.name"
        )
    elif reference.version is not None:
        message = f"There is no {describe(reference)} in {where}; correct spec.model.version"
    else:
        message = (
            f"No version holds {describe(reference)} in {where}; promote one, or correct spec.model"
        )
    return Verdict("False", Reason.REFERENCE_NOT_FOUND, message)


def _files_unknown(chosen: ModelVersion, answer: RegistryAnswer) -> str:
    problem = f": {answer.health.message}" if answer.health.message else ""
    return f"The registry was asked where the files of version {chosen.version} are{problem}"


def _registry_unknown(observed: Observed) -> Verdict:
    known = ", ".join(sorted(observed.configuration.registry_urls)) or "none"
    return Verdict(
        "False",
        Reason.REGISTRY_UNKNOWN,
        f"The operator knows no registry called {observed.spec.model.registry!r}; it knows:"
        f" {known}. Correct spec.model.registry",
    )


def _previous_or_waiting(observed: Observed, message: str) -> Verdict:
    """Change nothing while there is no answer; only with nothing to keep, say what is awaited."""
    previous = previous_verdict(observed.status, ConditionType.RESOLVED)
    if previous is not None and previous.status != "Unknown" and _is_about(observed):
        return previous
    health = observed.answer.health if observed.answer is not None else None
    if health is not None and health.failing_since is not None:
        reason = Reason.REGISTRY_DENIED if health.denied else Reason.REGISTRY_UNREACHABLE
        where = f"Registry {observed.spec.model.registry!r}"
        return Verdict("Unknown", reason, f"{where} gives no answer: {health.message}")
    return Verdict("Unknown", Reason.WAITING_FOR_REGISTRY, _capitalize(message))


def _is_about(observed: Observed) -> bool:
    """Whether what the condition Resolved says was said about the present reference."""
    return _memory(observed) is not None or any(
        condition.type == ConditionType.RESOLVED
        and condition.observed_generation == observed.generation
        for condition in observed.status.conditions
    )


def _judge_reachability(observed: Observed) -> tuple[Verdict, float | None]:
    if observed.answer is None:
        return _registry_unknown(observed), None
    health = observed.answer.health
    name = observed.spec.model.registry
    if health.failing_since is None:
        if health.ever_answered:
            return Verdict("True", Reason.REGISTRY_ANSWERS, f"Registry {name!r} answers"), None
        return _previous_reachability(observed), None
    left = health.failing_since + UNREACHABLE_AFTER - observed.now
    if left > timedelta(0):
        return _previous_reachability(observed), left.total_seconds()
    return _unreachable(observed, health.message, is_denied=health.denied), None


def _unreachable(observed: Observed, message: str, *, is_denied: bool) -> Verdict:
    reason = Reason.REGISTRY_DENIED if is_denied else Reason.REGISTRY_UNREACHABLE
    previous = previous_verdict(observed.status, ConditionType.REGISTRY_REACHABLE)
    if previous is not None and previous.status == "False" and previous.reason == reason:
        # The words of one and the same outage change from call to call; the status need not.
        return previous
    name = observed.spec.model.registry
    return Verdict(
        "False",
        reason,
        f"Registry {name!r} gives no answer: {message}. What is served goes on being served",
    )


def _previous_reachability(observed: Observed) -> Verdict:
    previous = previous_verdict(observed.status, ConditionType.REGISTRY_REACHABLE)
    name = observed.spec.model.registry
    waiting = Verdict("Unknown", Reason.WAITING_FOR_REGISTRY, f"Registry {name!r} is being asked")
    return previous or waiting


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]
