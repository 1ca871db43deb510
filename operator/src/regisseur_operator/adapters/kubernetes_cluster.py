"""Reads and writes of single objects on the API server."""

from http import HTTPStatus

from regisseur_contract.names import FIELD_MANAGER
from regisseur_operator.adapters.kubernetes_api import KubernetesApi, path_of
from regisseur_operator.adapters.kubernetes_errors import NotFoundError
from regisseur_operator.errors import ConflictError
from regisseur_operator.ports import Kind, Manifest
from regisseur_operator.resources import FIXED_KINDS

APPLY = "application/apply-patch+yaml"


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
        try:
            _, written = await self._api.request("PUT", path, body=manifest, params=params)
        except NotFoundError as error:
            raise ConflictError(str(error)) from None
        return written

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
