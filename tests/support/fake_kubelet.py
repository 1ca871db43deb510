"""A kubelet in miniature: what pods of a fake cluster do, and what goes wrong with them.

It keeps to what an operator can see of a real one: the order of the containers, exit codes and
last words, restarts with a growing back-off, deadlines, and pods that take a moment to end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from regisseur_contract.digest import ALGORITHM
from regisseur_contract.engines import Engine
from regisseur_contract.exits import ARTIFACT_INVALID, ARTIFACT_MISSING, DIGEST_MISMATCH
from regisseur_contract.names import CONTAINER_FETCH
from regisseur_contract.rehearsal import RehearsalVerdict, Word, write_verdict
from regisseur_contract.runtime import (
    ENV_ARTIFACT_URI,
    ENV_EXPECTED_DIGEST,
    ENV_MODEL_VERSION,
)
from regisseur_operator.api.quantity import parse_quantity
from regisseur_operator.ports import Manifest
from regisseur_operator.resources import POD
from support.fake_cluster import FINISHED, TIME, FakeCluster
from support.fake_pod_status import (
    Status,
    build_conditions,
    end,
    end_late,
    find_container,
    is_due,
    is_fetched,
    left_ready_at,
    next_start,
    read_time,
    ready_since,
    refuse_to_schedule,
    show,
    start,
    wait,
)

MEBIBYTE = 2**20


@dataclass(frozen=True)
class Behaviour:
    """What the pods of one version, or of one image, do from their start on.

    Attributes:
        word: What a rehearsal comes to.
        remark: What a rehearsal says although it passed.
        fallback: Why a rehearsal finds that the model's own library has to serve it.
        explanations: The method by which a rehearsal finds that it can be explained.
        unexplained: Why it finds that it cannot.
        rehearsal: `hangs`, `crashes` without a verdict, or is `lost` with its node.
        crash: Last words of a server that ends while it loads.
        dies_after: After how many seconds a ready server ends by itself.
        never_ready: Whether the server loads for ever.
        flaps: After how many seconds a ready server is not ready for one, again and again.
        memory: Mebibytes that a rehearsal and a server need.
        serving_memory: Mebibytes that only a server needs.
        unfetchable: Last words of a fetch that fails for an unknown reason.
    """

    word: str = Word.PASSED
    remark: str = ""
    fallback: str = ""
    explanations: str = ""
    unexplained: str = ""
    rehearsal: Literal["", "hangs", "crashes", "lost"] = ""
    crash: str = ""
    dies_after: float | None = None
    never_ready: bool = False
    flaps: float | None = None
    memory: int = 0
    serving_memory: int = 0
    unfetchable: str = ""


FINE = Behaviour()
OVERWRITTEN = f"{ALGORITHM}:{'f' * 64}"
"""Digest of files that replaced others."""


@dataclass
class FakeKubelet:
    """Runs pods.

    Attributes:
        behaviours: By model version, or by image.
        artifacts: Digest of the files at an address if they are not what they were at first;
            `missing` and `invalid` are none.
        store: Exit code and last words of a fetch while the store is away.
        unschedulable: Why no node takes a pod.
        unpullable: Why an image cannot be pulled, by image.
        refused: Why no container can be created, such as a Secret that is missing.
    """

    cluster: FakeCluster
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)
    store: tuple[int, str] | None = None
    unschedulable: str = ""
    unpullable: dict[str, str] = field(default_factory=dict)
    refused: str = ""

    # ---- what people do ------------------------------------------------------------------------

    def behave(self, about: int | str, **how: Any) -> None:
        """Say how pods of a version or an image behave from now on."""
        known = self.behaviours.get(str(about), FINE)
        self.behaviours[str(about)] = replace(known, **how)

    def heal(self) -> None:
        """Put everything right but the models' files."""
        self.behaviours.clear()
        self.unpullable.clear()
        self.store, self.unschedulable, self.refused = None, "", ""

    def evict(self, pod: Manifest) -> None:
        """Take a pod off its node, as a kubelet without memory does."""
        words = {"reason": "Evicted", "message": "The node was low on resource: memory."}
        self._report(pod, {**pod.get("status", {}), "phase": "Failed", "conditions": [], **words})

    # ---- one step ------------------------------------------------------------------------------

    def run(self, now: datetime) -> None:
        """Take one step with every pod."""
        for pod in list(self._pods()):
            if "deletionTimestamp" in pod["metadata"]:
                self.cluster.remove(POD, pod["metadata"]["namespace"], pod["metadata"]["name"])
            elif pod["status"].get("phase") not in FINISHED:
                self._report(pod, self._step(pod, now))

    def next_due(self, now: datetime) -> float | None:
        """Return the seconds until a pod does something by itself."""
        dues = [due for pod in self._pods() for due in self._dues(pod)]
        left = [(due - now).total_seconds() for due in dues]
        return min((seconds for seconds in left if seconds > 0), default=None)

    def _pods(self) -> Iterator[Manifest]:
        for (kind, _, _), manifest in self.cluster.objects.items():
            if kind == POD.kind:
                yield manifest

    def _report(self, pod: Manifest, status: Status) -> None:
        if pod["status"] != status:
            self.cluster.put(POD, {**pod, "status": status})

    def _step(self, pod: Manifest, now: datetime) -> Status:
        status: Status = pod["status"]
        if "startTime" not in status:
            if self.unschedulable:
                return refuse_to_schedule(self.unschedulable)
            status = {"phase": "Pending", "startTime": now.strftime(TIME)}
        deadline = pod["spec"].get("activeDeadlineSeconds")
        if deadline is not None and now >= read_time(status["startTime"]) + timedelta(
            seconds=deadline
        ):
            return end_late(status, now)
        if not is_fetched(status):
            status = self._fetch(pod, status, now)
        if not is_fetched(status):
            return status
        if _restarts(pod):
            return self._serve(pod, status, now)
        return self._rehearse(pod, status, now)

    def _fetch(self, pod: Manifest, status: Status, now: datetime) -> Status:
        before = find_container(status, "initContainerStatuses")
        shown: Status = {
            "phase": "Pending",
            "startTime": status["startTime"],
            "conditions": build_conditions(),
        }
        blocked = self._block(pod["spec"]["initContainers"][0]["image"])
        if blocked:
            return {**shown, "initContainerStatuses": [wait(CONTAINER_FETCH, *blocked)]}
        if not is_due(before, now):
            return status
        code, words = self._try_fetch(pod)
        state = end(CONTAINER_FETCH, before, code, words, now, restarts=_restarts(pod))
        if code != 0 and not _restarts(pod):
            shown["phase"] = "Failed"
        return {**shown, "initContainerStatuses": [state]}

    def _block(self, image: str) -> tuple[str, str] | None:
        if image in self.unpullable:
            return "ImagePullBackOff", self.unpullable[image]
        return ("CreateContainerConfigError", self.refused) if self.refused else None

    def _try_fetch(self, pod: Manifest) -> tuple[int, str]:
        environment = _environment(pod)
        if self._behaviour(pod).unfetchable:
            return 1, self._behaviour(pod).unfetchable
        if self.store is not None:
            return self.store
        found = self.digest_of(environment[ENV_ARTIFACT_URI])
        if found == "missing":
            return ARTIFACT_MISSING, "the store has no files there"
        if found == "invalid":
            return ARTIFACT_INVALID, "MLmodel is no YAML"
        expected = environment.get(ENV_EXPECTED_DIGEST)
        if expected and expected != found:
            return DIGEST_MISMATCH, f"the files have digest {found}, expected was {expected}"
        return 0, ""

    def digest_of(self, uri: str) -> str:
        """Return the digest of the files at an address."""
        return self.artifacts.get(uri) or f"{ALGORITHM}:{sha256(uri.encode()).hexdigest()}"

    def _behaviour(self, pod: Manifest) -> Behaviour:
        image = pod["spec"]["containers"][0]["image"]
        version = _environment(pod)[ENV_MODEL_VERSION]
        return self.behaviours.get(version) or self.behaviours.get(image) or FINE

    # ---- the main container --------------------------------------------------------------------

    def _serve(self, pod: Manifest, status: Status, now: datetime) -> Status:
        behaviour, before = self._behaviour(pod), find_container(status, "containerStatuses")
        if not is_due(before, now):
            return status
        name = pod["spec"]["containers"][0]["name"]
        if "running" in before.get("state", {}):
            if self._is_at_its_end(status, behaviour, now):
                last = end(name, before, 1, "segmentation fault", now, restarts=True)
                return show(status, "Running", last)
            state = before
        elif _is_short(pod, max(behaviour.memory, behaviour.serving_memory)):
            last = end(name, before, 137, "", now, restarts=True, reason="OOMKilled")
            return show(status, "Running", last)
        elif behaviour.crash:
            return show(
                status, "Running", end(name, before, 1, behaviour.crash, now, restarts=True)
            )
        else:
            state = start(name, before, now)
        return _answer_probe(status, behaviour, state, now)

    def _is_at_its_end(self, status: Status, behaviour: Behaviour, now: datetime) -> bool:
        since = ready_since(status)
        if behaviour.dies_after is None or since is None:
            return False
        return now >= since + timedelta(seconds=behaviour.dies_after)

    def _rehearse(self, pod: Manifest, status: Status, now: datetime) -> Status:
        behaviour = self._behaviour(pod)
        name = pod["spec"]["containers"][0]["name"]
        if not find_container(status, "containerStatuses"):
            return show(status, "Running", start(name, {}, now))
        if behaviour.rehearsal == "hangs":
            return status
        if _is_short(pod, behaviour.memory):
            state = end(name, {}, 137, "", now, restarts=False, reason="OOMKilled")
            return show(status, "Failed", state)
        if behaviour.rehearsal == "crashes":
            return show(status, "Failed", end(name, {}, 139, "", now, restarts=False))
        if behaviour.rehearsal == "lost":
            why = "ContainerStatusUnknown"
            lost = end(name, {}, 137, "", now, restarts=False, reason=why)
            return show(status, "Failed", lost)
        has_passed = behaviour.word == Word.PASSED
        verdict = RehearsalVerdict(
            word=behaviour.word,
            message=behaviour.remark if has_passed else f"the model says {behaviour.word}",
            digest=self.digest_of(_environment(pod)[ENV_ARTIFACT_URI]),
            bytes=4096,
            seconds=1.0,
            engine=Engine.NATIVE if behaviour.fallback else Engine.ONNX,
            engine_reason=behaviour.fallback,
            explanations=behaviour.explanations,
            explain_reason=behaviour.unexplained,
        )
        code = 0 if verdict.has_passed else 1
        state = end(name, {}, code, write_verdict(verdict), now, restarts=False)
        return show(status, "Succeeded" if verdict.has_passed else "Failed", state)

    def _dues(self, pod: Manifest) -> Iterator[datetime]:
        status = pod["status"]
        if "startTime" not in status or status["phase"] in FINISHED:
            return
        for kind in ("initContainerStatuses", "containerStatuses"):
            due = next_start(find_container(status, kind))
            if due is not None:
                yield due
        deadline = pod["spec"].get("activeDeadlineSeconds")
        if deadline is not None:
            yield read_time(status["startTime"]) + timedelta(seconds=deadline)
        since, behaviour = ready_since(status), self._behaviour(pod)
        for seconds in (behaviour.dies_after, behaviour.flaps):
            if since is not None and seconds is not None:
                yield since + timedelta(seconds=seconds)


def _answer_probe(status: Status, behaviour: Behaviour, state: Status, now: datetime) -> Status:
    """Return the status of a running server as its readiness probe leaves it."""
    since, flaps = ready_since(status), behaviour.flaps
    if since is not None and flaps is not None and now >= since + timedelta(seconds=flaps):
        return show(status, "Running", state, left_at=now)
    if since is None and behaviour.never_ready:
        return show(status, "Running", state, left_at=left_ready_at(status))
    return show(status, "Running", state, since or now)


def _environment(pod: Manifest) -> dict[str, str]:
    containers = (*pod["spec"]["initContainers"], *pod["spec"]["containers"])
    return {
        entry["name"]: entry.get("value", "")
        for container in containers
        for entry in container.get("env", ())
    }


def _restarts(pod: Manifest) -> bool:
    return bool(pod["spec"].get("restartPolicy", "Always") == "Always")


def _is_short(pod: Manifest, mebibytes: int) -> bool:
    limit = pod["spec"]["containers"][0]["resources"].get("limits", {}).get("memory")
    return limit is not None and mebibytes * MEBIBYTE > parse_quantity(limit)
