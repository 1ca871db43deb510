"""ModelDeployments for tests, and what is asked about them again and again."""

from typing import Any

from regisseur_contract.names import API_GROUP_VERSION, KIND
from support.eventually import eventually
from support.kube_client import Json, KubeClient

CHILDREN = ("deployments", "services", "poddisruptionbudgets")


def build_modeldeployment(name: str, model: str, **spec: Any) -> Json:
    """Return a manifest that follows Production, unless the spec names another reference."""
    reference = {k: spec.pop(k) for k in ("stage", "alias", "version", "registry") if k in spec}
    if not reference.keys() & {"stage", "alias", "version"}:
        reference["stage"] = "Production"
    return {
        "apiVersion": API_GROUP_VERSION,
        "kind": KIND,
        "metadata": {"name": name},
        "spec": {
            "model": {"name": model, **reference},
            "minReadySeconds": 0,
            "progressDeadlineSeconds": 60,
            **spec,
        },
    }


class Subject:
    """One ModelDeployment of a test, and its children."""

    def __init__(self, kube: KubeClient, name: str = "wine") -> None:
        self.kube = kube
        self.name = name

    def create(self, model: str, **spec: Any) -> Json:
        """Create it."""
        return self.kube.create("modeldeployments", build_modeldeployment(self.name, model, **spec))

    @property
    def manifest(self) -> Json:
        """What the API server has of it."""
        return self.kube.read("modeldeployments", self.name)

    @property
    def status(self) -> Json:
        """Its status."""
        return dict(self.manifest.get("status", {}))

    def condition(self, kind: str) -> Json:
        """Return one of its conditions, or an empty one."""
        found = self.status.get("conditions", [])
        return next((dict(entry) for entry in found if entry["type"] == kind), {})

    @property
    def deployment(self) -> Json | None:
        """Its Deployment, if there is one."""
        return self.kube.get("deployments", self.name)

    def children(self) -> dict[str, Json]:
        """Return its children that are there, by plural."""
        found = {plural: self.kube.get(plural, self.name) for plural in CHILDREN}
        return {plural: child for plural, child in found.items() if child is not None}

    def versions(self) -> dict[str, str]:
        """Return uid and resourceVersion of it and its children: equal when nothing was written."""
        objects = {"modeldeployments": self.manifest, **self.children()}
        return {
            plural: f"{found['metadata']['uid']}/{found['metadata']['resourceVersion']}"
            for plural, found in objects.items()
        }

    def wait_for_condition(
        self, kind: str, status: str, reason: str = "", *, deadline_seconds: float = 30.0
    ) -> Json:
        """Wait for a condition and return it."""

        def holds() -> Json | None:
            found = self.condition(kind)
            is_it = found.get("status") == status and reason in {"", found.get("reason")}
            return found if is_it else None

        found = eventually(
            holds,
            deadline_seconds=deadline_seconds,
            describe=lambda: f"{kind}={status} {reason}; {self.status}",
        )
        assert found is not None
        return found

    def wait_until_served(self, version: int, *, deadline_seconds: float = 40.0) -> None:
        """Wait until a version is stable and everything is as it should be."""
        eventually(
            lambda: (
                self.status.get("stable", {}).get("version") == version
                and self.condition("Ready").get("status") == "True"
            ),
            deadline_seconds=deadline_seconds,
            describe=lambda: f"version {version} is served; {self.status}",
        )
