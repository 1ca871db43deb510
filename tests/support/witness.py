"""Looks at every write of the operator, and remembers what must never happen.

- Never is a try rehearsed or rolled out that was rejected, unless a person asked for it.
- Never are there two rehearsals at once.
- Never does a pod of a rehearsal go before its verdict is in the status.
- Never is a new kind of pod rolled out that was not rehearsed, while rehearsals are on.
- Never is Ready said to be True while the version that is named is not served by all pods.
"""

from regisseur_contract.names import ANNOTATION_RETRY
from regisseur_operator.api.status import RehearsalState
from regisseur_operator.core.pods import ANNOTATION_TRIAL
from regisseur_operator.core.roll import Roll, Served, is_alike, parse_roll
from regisseur_operator.core.trial import is_about
from regisseur_operator.ports import Manifest, ModelVersion
from regisseur_operator.resources import DEPLOYMENT, MODELDEPLOYMENT
from support.fake_cluster import FINISHED
from support.worlds import KEY, World


class Witness:
    """Watches one world from now on.

    Attributes:
        rehearsed: Keys of the tries whose rehearsal began, in order.
        rolls: What was rolled out rightly.
        passed: Keys of the tries that the status called passed, or that were rolled out rightly.
        accepted: Labels of the pods that were rolled out rightly once.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.rehearsed: list[str] = []
        live = world.cluster.find(DEPLOYMENT, KEY)
        roll = parse_roll(live["metadata"]["annotations"]) if live is not None else None
        self.rolls: list[Roll] = [roll] if roll is not None else []
        self.accepted: set[str] = {roll.pod_label} if roll is not None else set()
        self.passed: set[str] = {roll.key} if roll is not None else set()
        self._untold: list[tuple[str, object]] = []
        world.cluster.on_write = self._look
        world.after_reconcile = self._check_truth

    def _look(self, title: str, manifest: Manifest) -> None:
        verb, _, what = title.partition(" ")
        if verb == "status":
            self._look_at_status()
        elif what.startswith("Pod ") and verb == "create":
            self._look_at_rehearsal(manifest)
        elif what.startswith("Pod ") and verb == "delete":
            self._look_at_its_end(manifest)
        elif what.startswith("Deployment "):
            self._look_at_roll(manifest)

    def _look_at_status(self) -> None:
        rehearsal = self.world.status.rehearsal
        if rehearsal is not None and rehearsal.state == RehearsalState.PASSED:
            self.passed.add(rehearsal.key)
        still_awaited = rehearsal is not None and rehearsal.state == RehearsalState.RUNNING
        if rehearsal is not None and still_awaited:
            is_lost = (rehearsal.key, self._wish()) in self._untold
            assert not is_lost, "the pod went before its verdict was told"
        self._untold.clear()

    def _look_at_rehearsal(self, pod: Manifest) -> None:
        assert len(self.world.rehearsal_pods) == 1, "two rehearsals at once"
        key = pod["metadata"]["annotations"][ANNOTATION_TRIAL]
        assert not self._is_rejected(key), f"{key} was rejected and is rehearsed again"
        self.rehearsed.append(key)

    def _look_at_its_end(self, pod: Manifest) -> None:
        if not pod:
            return
        key = pod["metadata"]["annotations"][ANNOTATION_TRIAL]
        rehearsal = self.world.status.rehearsal
        if pod["status"]["phase"] not in FINISHED or rehearsal is None or self._is_retried():
            return
        if not self._is_named(key):
            return  # nobody waits for this verdict any more
        if rehearsal.key == key and rehearsal.state == RehearsalState.RUNNING:
            self._untold.append((key, self._wish()))

    def _look_at_roll(self, deployment: Manifest) -> None:
        roll = parse_roll(deployment["metadata"]["annotations"])
        assert roll is not None
        if roll.pod_label in self.accepted:
            return
        if self.world.edited_spec().get("rehearsal", {}).get("enabled", True):
            # A restart has a key that begins with that of what it restarts, or brings the same pods
            # once more, files and all.
            is_known = any(roll.key.startswith(key) for key in self.passed)
            is_same = any(is_alike(roll, other) for other in self.rolls)
            assert is_known or is_same, f"rollout {roll.revision} was never rehearsed"
        assert not self._is_rejected(roll.key), f"{roll.key} was rejected and is rolled out"
        self.rolls.append(roll)
        self.accepted.add(roll.pod_label)
        self.passed.add(roll.key)

    def _check_truth(self) -> None:
        status = self.world.status
        ready = {entry.type: entry for entry in status.conditions}.get("Ready")
        if ready is None or ready.status != "True":
            return
        served, spec = self.world.served_versions, self.world.edited_spec()
        replicas = spec.get("replicas", 1)
        brought = status.candidate if replicas == 0 and status.candidate else status.stable
        assert brought is not None
        assert served == [str(brought.version)] * replicas, served
        if "rollbackTo" not in spec:
            assert status.resolved is not None
            assert brought.version == status.resolved.version

    def _wish(self) -> object:
        """What is asked for: a try that nobody wants any more has nothing to tell."""
        held = self.world.registry.versions.values()
        return self.world.edited_spec(), [version for version in held if version.stage != "None"]

    def _is_named(self, key: str) -> bool:
        """Whether a try is of a version in Production, and not of one of the same number before."""
        return any(
            is_about(key, self._identify(number, version))
            for (_, number), version in self.world.registry.versions.items()
            if version.stage == "Production"
        )

    def _identify(self, number: int, version: ModelVersion) -> Served:
        return Served(
            registry="default",
            model=version.model,
            version=number,
            run_id=version.run_id,
            model_id=version.model_id,
            source=self.world.files_of(number),
        )

    def _is_rejected(self, key: str) -> bool:
        if self._is_retried():
            return False
        return any(entry.key == key for entry in self.world.status.rejected)

    def _is_retried(self) -> bool:
        """Whether a person asked for another try and was not answered yet."""
        live = self.world.cluster.get(MODELDEPLOYMENT, KEY)
        token = (live["metadata"].get("annotations") or {}).get(ANNOTATION_RETRY, "")
        handled = self.world.status.handled
        return bool(token != (handled.retry if handled is not None else ""))
