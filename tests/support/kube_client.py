"""The API server as tests see it: plain JSON over HTTPS, without the operator's own client."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

from regisseur_devcluster.controlplane import ControlPlane

Json = dict[str, Any]

PATHS = {
    "deployments": "apis/apps/v1",
    "replicasets": "apis/apps/v1",
    "controllerrevisions": "apis/apps/v1",
    "horizontalpodautoscalers": "apis/autoscaling/v2",
    "resourcequotas": "api/v1",
    "services": "api/v1",
    "pods": "api/v1",
    "events": "api/v1",
    "poddisruptionbudgets": "apis/policy/v1",
    "modeldeployments": "apis/regisseur.dev/v1alpha1",
    "leases": "apis/coordination.k8s.io/v1",
}
MERGE = "application/merge-patch+json"


class KubeRefusedError(AssertionError):
    """The API server answered with an error; `code` is its status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code


class KubeClient:
    """One namespace of a control plane, as its administrator."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.plane = plane
        self.namespace = namespace
        self._trust = ssl.create_default_context(cafile=str(plane.certificate_authority))
        client = plane.administrator
        self._trust.load_cert_chain(client.certificate, client.key)

    def get(self, plural: str, name: str) -> Json | None:
        """Return an object, or None where there is none."""
        try:
            return self.call("GET", self._path(plural, name))
        except KubeRefusedError as error:
            if error.code == 404:
                return None
            raise

    def read(self, plural: str, name: str) -> Json:
        """Return an object that must be there."""
        found = self.get(plural, name)
        assert found is not None, f"{plural}/{name} is not there"
        return found

    def list(self, plural: str, *, selector: str = "") -> list[Json]:
        """Return the objects of a kind."""
        query = f"?labelSelector={selector}" if selector else ""
        return list(self.call("GET", self._path(plural) + query)["items"])

    def version(self) -> str:
        """Return the present moment as a resourceVersion, which all kinds share."""
        answer = self.call("GET", self._path("pods") + "?limit=1")
        return str(answer["metadata"]["resourceVersion"])

    def history(self, plural: str, since: str) -> Iterator[Json]:
        """Return what happened to the objects of a kind since a moment, in order."""
        query = f"?watch=true&resourceVersion={since}&timeoutSeconds=1"
        url = f"{self.plane.url}/{self._path(plural)}{query}"
        with urllib.request.urlopen(url, timeout=20, context=self._trust) as answer:
            yield from map(json.loads, answer.read().splitlines())

    def post(self, plural: str, text: str) -> None:
        """Create an object from a text that Python's own JSON could not write."""
        self.call("POST", self._path(plural), text)

    def create(self, plural: str, manifest: Json) -> Json:
        """Create an object."""
        return self.call("POST", self._path(plural), manifest)

    def patch(self, plural: str, name: str, change: Json, *, subresource: str = "") -> Json:
        """Change an object by a merge patch."""
        path = self._path(plural, name) + (f"/{subresource}" if subresource else "")
        return self.call("PATCH", path, change, content_type=MERGE)

    def delete(self, plural: str, name: str, *, grace_seconds: int | None = None) -> None:
        """Delete an object; one that is gone is fine."""
        query = "" if grace_seconds is None else f"?gracePeriodSeconds={grace_seconds}"
        try:
            self.call("DELETE", self._path(plural, name) + query)
        except KubeRefusedError as error:
            if error.code != 404:
                raise

    def edit(self, plural: str, name: str, change: Callable[[Json], None]) -> Json:
        """Read an object, change it and put it back, as `kubectl edit` does."""
        manifest = self.read(plural, name)
        change(manifest)
        return self.call("PUT", self._path(plural, name), manifest)

    def call(
        self, method: str, path: str, body: Json | str | None = None, *, content_type: str = ""
    ) -> Json:
        """Send one request."""
        text = body if isinstance(body, str | None) else json.dumps(body)
        request = urllib.request.Request(
            f"{self.plane.url}/{path}",
            data=None if text is None else text.encode(),
            method=method,
            headers={"Content-Type": content_type or "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=20, context=self._trust) as answer:
                return dict(json.loads(answer.read()))
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            raise KubeRefusedError(error.code, said[:500]) from None

    def _path(self, plural: str, name: str = "") -> str:
        collection = f"{PATHS[plural]}/namespaces/{self.namespace}/{plural}"
        return f"{collection}/{name}" if name else collection
