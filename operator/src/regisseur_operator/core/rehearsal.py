"""How the rehearsal of a try stands: read off its pod, and remembered in the status.

The status is written before the pod is deleted, and a pod is made only for a try that the status
has no word about; so the operator may die between any two steps. There is one name for the pod, so
there are never two.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from regisseur_contract.exits import FAULTS_OF_THE_SURROUNDINGS, FAULTS_OF_THE_VERSION
from regisseur_contract.rehearsal import RehearsalVerdict, Word, parse_verdict
from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import Rehearsal, RehearsalFacts, RehearsalState
from regisseur_operator.core.diagnosis import (
    Diagnosis,
    diagnose_convert,
    diagnose_fetch,
    diagnose_start,
    last_words,
    shorten,
)
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.pods import ContainerFacts, RehearsalPod
from regisseur_operator.core.trial import Trial

FIRST_PAUSE: Final = timedelta(seconds=10)
LONGEST_PAUSE: Final = timedelta(minutes=5)
"""Between two tries that the surroundings spoilt."""

TROUBLE_OF_THE_NODE: Final = frozenset(
    {"ContainerStatusUnknown", "StartError", "ContainerCannotRun"}
)
"""Ends of a container that its program had no part in."""

OUT_OF_MEMORY_MESSAGE: Final = (
    "The rehearsal used more memory than its limit and was killed: raise"
    " spec.serving.resources.limits.memory"
)


def judge_rehearsal(observed: Observed, trial: Trial) -> Rehearsal:
    """Return what the status is to say of a try's rehearsal."""
    known, pod = recall_rehearsal(observed, trial.key), observed.rehearsal_pod
    if known is not None and known.state in {RehearsalState.PASSED, RehearsalState.FAILED}:
        return known
    if pod is None or pod.key != trial.key or pod.is_terminating:
        is_resting = known is not None and seconds_until_due(observed, known) > 0
        return known if known and is_resting else _start(trial, known, at=observed.now)
    if pod.is_finished:
        ended = _judge_end(observed, trial, known, pod)
        is_spent = observed.is_retried and ended.state == RehearsalState.FAILED
        return _start(trial, None, at=observed.now) if is_spent else ended
    problem = diagnose_start(pod.name, pod.unschedulable, (pod.fetch, pod.convert, pod.rehearse))
    if problem is not None:
        return _hold(trial, known, _tell_room(problem))
    return _start(trial, known, at=pod.created_at or observed.now)


def _tell_room(problem: Diagnosis) -> Diagnosis:
    """Say what a pod that no node takes needs, even where a rollout would need no room."""
    if problem.reason != Reason.UNSCHEDULABLE:
        return problem
    remedy = "A rehearsal needs room for one more pod: make room, or set"
    message = f"{problem.message}. {remedy} spec.rehearsal.enabled: false"
    return Diagnosis(problem.reason, message)


def recall_rehearsal(observed: Observed, key: str) -> Rehearsal | None:
    """Return what the status says of a try; nothing when a person asked for another one."""
    known = observed.status.rehearsal
    return known if known is not None and known.key == key and not observed.is_retried else None


def needs_pod(observed: Observed, rehearsal: Rehearsal) -> bool:
    """Whether a pod is to be made now."""
    is_open = rehearsal.state == RehearsalState.RUNNING
    return is_open and observed.rehearsal_pod is None


def is_outdated(observed: Observed, rehearsal: Rehearsal | None) -> bool:
    """Whether the pod that is there has done its part, or is of another try."""
    pod, known = observed.rehearsal_pod, observed.status.rehearsal
    if pod is None or pod.is_terminating:
        return False
    if rehearsal is None or pod.key != rehearsal.key or observed.is_retried:
        return True
    return pod.is_finished and known is not None and known.key == pod.key and _holds(known, pod)


def seconds_until_due(observed: Observed, held: Rehearsal) -> float:
    """Return how long a spoilt try rests."""
    if held.state != RehearsalState.HELD or held.finished_at is None:
        return 0.0
    doublings = min(max(held.attempts - 1, 0), 10)
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * (1 << doublings))
    return (held.finished_at + pause - observed.now).total_seconds()


# ---- states ----------------------------------------------------------------------------------


def _holds(known: Rehearsal, pod: RehearsalPod) -> bool:
    """Whether what is remembered is of this very pod, and not of one before it."""
    return known.pod_uid == pod.uid


def _start(trial: Trial, known: Rehearsal | None, at: datetime) -> Rehearsal:
    if known is not None and known.state == RehearsalState.RUNNING:
        return known
    return Rehearsal(
        version=trial.inputs.served.version,
        key=trial.key,
        state=RehearsalState.RUNNING,
        attempts=known.attempts if known is not None else 0,
        started_at=at,
    )


def _hold(
    trial: Trial,
    known: Rehearsal | None,
    problem: Diagnosis,
    *,
    pod_uid: str = "",
    at: datetime | None = None,
) -> Rehearsal:
    """Keep the first words about one and the same trouble.

    Args:
        trial: What is rehearsed.
        known: What the status says of it.
        problem: What is in the way.
        pod_uid: The pod that has ended by it, if one has.
        at: When that was seen.
    """
    if known is not None and known.verdict == problem.reason and known.pod_uid == pod_uid:
        return known
    return Rehearsal(
        version=trial.inputs.served.version,
        key=trial.key,
        state=RehearsalState.HELD,
        verdict=problem.reason,
        message=problem.message,
        pod_uid=pod_uid,
        attempts=(known.attempts if known is not None else 0) + bool(pod_uid),
        started_at=known.started_at if known is not None else None,
        finished_at=at,
    )


def _judge_end(
    observed: Observed, trial: Trial, known: Rehearsal | None, pod: RehearsalPod
) -> Rehearsal:
    if known is not None and _holds(known, pod):
        return known
    verdict = parse_verdict(pod.rehearse.exit_message) if pod.rehearse is not None else None
    if verdict is not None:
        return _conclude(observed, trial, pod, verdict)
    problem, is_versions = _diagnose_end(pod)
    if not is_versions:
        return _hold(trial, known, problem, pod_uid=pod.uid, at=observed.now)
    return _finish(observed, trial, pod, problem)


def _conclude(
    observed: Observed, trial: Trial, pod: RehearsalPod, verdict: RehearsalVerdict
) -> Rehearsal:
    facts = RehearsalFacts(
        digest=verdict.digest,
        bytes=verdict.bytes,
        seconds=round(verdict.seconds, 3),
        requirements=list(verdict.requirements),
        signature=verdict.signature,
        latency_seconds=round(verdict.latency_seconds, 6),
        memory_bytes=verdict.memory_bytes,
        engine=verdict.engine,
        engine_reason=verdict.engine_reason,
        explanations=verdict.explanations,
        explain_reason=verdict.explain_reason or _lacks_explanations(trial, verdict),
    )
    if verdict.has_passed:
        passed = Diagnosis(Reason.REHEARSAL_PASSED, shorten(verdict.message))
        return _finish(observed, trial, pod, passed, facts)
    failed = Diagnosis(to_reason(verdict.word), shorten(verdict.message))
    return _finish(observed, trial, pod, failed, facts)


def _lacks_explanations(trial: Trial, verdict: RehearsalVerdict) -> str:
    """Say of an image that was asked for explanations and said nothing why there are none."""
    is_asked = bool(trial.inputs.explain_budget_seconds) and verdict.has_passed
    return "the image knows nothing of it" if is_asked and not verdict.explanations else ""


def _finish(
    observed: Observed,
    trial: Trial,
    pod: RehearsalPod,
    finding: Diagnosis,
    facts: RehearsalFacts | None = None,
) -> Rehearsal:
    known = recall_rehearsal(observed, trial.key)
    has_passed = finding.reason == Reason.REHEARSAL_PASSED
    return Rehearsal(
        version=trial.inputs.served.version,
        key=trial.key,
        state=RehearsalState.PASSED if has_passed else RehearsalState.FAILED,
        verdict=finding.reason,
        message=finding.message,
        facts=facts,
        pod_uid=pod.uid,
        attempts=(known.attempts if known is not None else 0) + 1,
        started_at=known.started_at if known is not None else None,
        finished_at=observed.now,
    )


def to_reason(word: str) -> Reason:
    """Read the word of a verdict that is not a pass; a newer image may know more of them."""
    known = {entry.value for entry in Word} - {Word.PASSED.value}
    known |= {Reason.OUT_OF_MEMORY, Reason.REHEARSAL_TIMED_OUT, Reason.ARTIFACT_MISSING}
    return Reason(word) if word in known else Reason.REHEARSAL_CRASHED


# ---- ends without a verdict ------------------------------------------------------------------


def _diagnose_end(pod: RehearsalPod) -> tuple[Diagnosis, bool]:
    """Say why a pod ended without a verdict, and whether that is the version's own fault."""
    if pod.rehearse is not None and pod.rehearse.exit_reason == "OOMKilled":
        return Diagnosis(Reason.OUT_OF_MEMORY, OUT_OF_MEMORY_MESSAGE), True
    if pod.reason == "DeadlineExceeded":
        return _diagnose_deadline((pod.convert, pod.rehearse))
    if pod.reason:
        message = f"The rehearsal's pod was ended by the cluster ({pod.reason}): {pod.message}"
        return Diagnosis(Reason.EVICTED, shorten(message)), False
    return _diagnose_container(pod)


def _diagnose_container(pod: RehearsalPod) -> tuple[Diagnosis, bool]:
    """Say the same where it is one container that has ended badly: the first of them tells."""
    fetch, rehearse = pod.fetch, pod.rehearse
    if fetch is not None and fetch.exit_code:
        return _diagnose_fetch(pod, fetch), fetch.exit_code in FAULTS_OF_THE_VERSION
    if pod.convert is not None and pod.convert.exit_code:
        found = diagnose_convert(pod.name, pod.convert, Reason.REHEARSAL_CRASHED)
        return found, not _is_of_surroundings(pod.convert)
    if rehearse is not None and rehearse.exit_code is not None:
        words = last_words(rehearse.exit_message) or f"exit code {rehearse.exit_code}"
        message = f"The rehearsal ended without a verdict: {words}"
        found = Diagnosis(Reason.REHEARSAL_CRASHED, shorten(message))
        return found, not _is_of_surroundings(rehearse)
    message = "The rehearsal's pod ended before it began; it is tried again"
    return Diagnosis(Reason.EVICTED, message), False


def _is_of_surroundings(part: ContainerFacts) -> bool:
    """Whether the end of a container is nothing that its version has done."""
    is_nodes = part.exit_reason in TROUBLE_OF_THE_NODE
    return is_nodes or part.exit_code in FAULTS_OF_THE_SURROUNDINGS


def _diagnose_fetch(pod: RehearsalPod, fetch: ContainerFacts) -> Diagnosis:
    found = diagnose_fetch(pod.name, fetch)
    if found.reason != Reason.ARTIFACT_CHANGED:
        return found
    return Diagnosis(Reason.DIGEST_MISMATCH, found.message)


def _diagnose_deadline(parts: Iterable[ContainerFacts | None]) -> tuple[Diagnosis, bool]:
    """Say what was not done in time, given what came after the download."""
    has_begun = any(part and (part.is_running or part.exit_code is not None) for part in parts)
    if has_begun:
        message = (
            "The model was not loaded and tried within spec.rehearsal.timeout: allow more time,"
            " or more CPU in spec.serving.resources"
        )
        return Diagnosis(Reason.REHEARSAL_TIMED_OUT, message), True
    message = (
        "The model's files were not there within spec.rehearsal.timeout: the image or the files"
        " take longer to download; it is tried again, or allow more time"
    )
    return Diagnosis(Reason.REHEARSAL_TIMED_OUT, message), False
