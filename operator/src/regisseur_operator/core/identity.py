"""How objects are named: the key of a ModelDeployment, kinds, and manifests as plain JSON."""

from typing import Any, NamedTuple

Manifest = dict[str, Any]
"""An object as the API server speaks it."""


class Key(NamedTuple):
    """Namespace and name of a ModelDeployment."""

    namespace: str
    name: str


class Kind(NamedTuple):
    """A kind of object as its URL names it; `api` is `api/v1` or `apis/<group>/<version>`."""

    api: str
    plural: str
    kind: str

    @property
    def api_version(self) -> str:
        """What a manifest has as `apiVersion`."""
        return self.api.removeprefix("apis/").removeprefix("api/")
