"""Reads and writes of single objects on the API server."""

from http import HTTPStatus

from regisseur_contract.names import FIELD_MANAGER
from regisseur_operator.adapters.kubernetes_api import KubernetesApi, path_of
from regisseur_operator.adapters.kubernetes_errors import NotFoundError
from regisseur_operator.api.reasons import Reason
from regisseur_operator.errors import ConflictError, TerminalError
from regisseur_operator.ports import Kind, Manifest
from regisseur_operator.resources import FIXED_KINDS, SERVICE

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


class KubernetesCluster:
    """The port `Cluster` over a real API server.

    Args:
        api: Where to.
        modeldeployment: The kind whose status is written.
    """

    def __init__(self, api: KubernetesApi, modeldeployment: Kind) -> None:
        self._api = api
        self._modeldeployment = modeldeployment

    async def read(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """Get the live object, or None where there is none."""
        try:
            _, found = await self._api.request("GET", path_of(kind, namespace, name))
        except NotFoundError:
            return None
        return found

    async def create(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Create by an apply that takes nothing over; `ConflictError` where the name is taken.

        What a POST sets would belong to an update instead of to our applies, and a later apply
        that leaves a field out could not remove it. What is never changed is created by a POST:
        the right to patch all pods would be a great one for nothing.
        """
        if kind in FIXED_KINDS:
            return await self._post(kind, manifest)
        status, created = await self._apply(kind, manifest, force=False)
        if status != HTTPStatus.CREATED:
            raise ConflictError(f"{kind.kind} {manifest['metadata']['name']} was there already")
        return created

    async def apply(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Apply by server-side apply as our field manager, taking over fields by force."""
        try:
            _, applied = await self._apply(kind, manifest, force=True)
        except TerminalError as error:
            if kind != SERVICE or error.reason != Reason.INVALID_SPEC:
                raise
            await self._replace_ports(manifest)
            _, applied = await self._apply(kind, manifest, force=True)
        return applied

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """Delete one very object; `ConflictError` where another one has its name by now."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": uid},
        }
        try:
            await self._api.request("DELETE", path_of(kind, namespace, name), body=options)
        except NotFoundError:
            return

    async def write_status(self, manifest: Manifest) -> Manifest:
        """Replace the status of a ModelDeployment; `ConflictError` on an old resourceVersion."""
        metadata = manifest["metadata"]
        path = path_of(self._modeldeployment, metadata["namespace"], metadata["name"], "status")
        params = {"fieldManager": FIELD_MANAGER}
        # The rest of the object is the API server's: it looks at nothing else of what is sent.
        known = ("name", "namespace", "uid", "resourceVersion")
        body = {
            "apiVersion": manifest["apiVersion"],
            "kind": manifest["kind"],
            "metadata": {name: metadata[name] for name in known},
            "status": manifest["status"],
        }
        try:
            _, written = await self._api.request("PUT", path, body=body, params=params)
        except NotFoundError as error:
            raise ConflictError(str(error)) from None
        return written

    async def _replace_ports(self, service: Manifest) -> None:
        """Take away the ports that other hands have put beside ours.

        An apply leaves them, as it does all that others add to a list; but a Service cannot have
        two ports of one name, so that after an edit of the number no apply is possible any more.
        """
        metadata = service["metadata"]
        named = {key: metadata[key] for key in ("name", "uid") if key in metadata}
        await self._api.request(
            "PATCH",
            path_of(SERVICE, metadata["namespace"], metadata["name"]),
            body={"metadata": named, "spec": {"ports": service["spec"]["ports"]}},
            params={"fieldManager": FIELD_MANAGER},
            content_type=MERGE,
        )

    async def _post(self, kind: Kind, manifest: Manifest) -> Manifest:
        _, created = await self._api.request(
            "POST",
            path_of(kind, manifest["metadata"]["namespace"]),
            body=manifest,
            # An apply refuses a field that the API server does not know; a POST has to be asked to.
            params={"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"},
        )
        return created

    async def _apply(self, kind: Kind, manifest: Manifest, *, force: bool) -> tuple[int, Manifest]:
        metadata = manifest["metadata"]
        return await self._api.request(
            "PATCH",
            path_of(kind, metadata["namespace"], metadata["name"]),
            body=manifest,
            params={"fieldManager": FIELD_MANAGER, "force": str(force).lower()},
            content_type=APPLY,
        )
