"""Kubernetes Events as the API server stores them."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from regisseur_contract.names import FIELD_MANAGER
from regisseur_operator.adapters.kubernetes_api import KubernetesApi, path_of
from regisseur_operator.ports import Kind, Manifest

EVENT: Final = Kind("api/v1", "events", "Event")
MERGE_PATCH: Final = "application/merge-patch+json"
LONGEST_MESSAGE: Final = 1024


class KubernetesEvents:
    """Creates Events and counts repeated ones up."""

    def __init__(self, api: KubernetesApi) -> None:
        self._api = api

    async def create(
        self, about: Manifest, kind: str, reason: str, message: str, at: datetime
    ) -> str:
        """Create an Event about an object and return its name."""
        metadata = about["metadata"]
        name = f"{metadata['name']}.{secrets.token_hex(8)}"
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": metadata["namespace"]},
            "involvedObject": _refer_to(about),
            "type": kind,
            "reason": reason,
            "message": message[:LONGEST_MESSAGE],
            "count": 1,
            "firstTimestamp": _write(at),
            "lastTimestamp": _write(at),
            "source": {"component": FIELD_MANAGER},
            "reportingComponent": FIELD_MANAGER,
        }
        path = path_of(EVENT, metadata["namespace"])
        await self._api.request("POST", path, body=event, attempts=2)
        return name

    async def count_up(self, namespace: str, name: str, count: int, at: datetime) -> None:
        """Say that an Event has happened again.

        Raises:
            NotFoundError: It has expired.
        """
        await self._api.request(
            "PATCH",
            path_of(EVENT, namespace, name),
            body={"count": count, "lastTimestamp": _write(at)},
            content_type=MERGE_PATCH,
            attempts=2,
        )


def _refer_to(about: Manifest) -> Mapping[str, Any]:
    metadata = about["metadata"]
    return {
        "apiVersion": about["apiVersion"],
        "kind": about["kind"],
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "resourceVersion": metadata["resourceVersion"],
    }


def _write(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
