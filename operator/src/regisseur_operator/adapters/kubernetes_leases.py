"""The Lease that operators elect their leader by; each call is one single attempt."""

from typing import Final

from regisseur_operator.adapters.kubernetes_api import KubernetesApi, path_of
from regisseur_operator.adapters.kubernetes_errors import NotFoundError
from regisseur_operator.ports import Kind, Manifest

LEASE: Final = Kind("apis/coordination.k8s.io/v1", "leases", "Lease")


class KubernetesLease:
    """One Lease by name."""

    def __init__(self, api: KubernetesApi, namespace: str, name: str) -> None:
        self._api = api
        self._collection = path_of(LEASE, namespace)
        self._path = path_of(LEASE, namespace, name)

    async def read(self) -> Manifest | None:
        """Return the Lease, or None where there is none."""
        try:
            return await self._call("GET", self._path)
        except NotFoundError:
            return None

    async def create(self, lease: Manifest) -> Manifest:
        """Create it; `ConflictError` where somebody else did."""
        return await self._call("POST", self._collection, lease)

    async def replace(self, lease: Manifest) -> Manifest:
        """Replace it; `ConflictError` where somebody else did since it was read."""
        return await self._call("PUT", self._path, lease)

    async def _call(self, method: str, path: str, body: Manifest | None = None) -> Manifest:
        _, answer = await self._api.request(method, path, body=body, attempts=1)
        return answer
