"""The files of a model version as the registry's store holds them, read and overwritten.

MLflow's proxy takes a PUT on the files of a version that is registered, and changes neither the
version nor a timestamp: nothing but a digest can tell.
"""

import hashlib
import urllib.parse

from regisseur_contract.digest import digest_files
from support.model_versions import Registry, call, read_version, send

_PROXY = "/api/2.0/mlflow-artifacts/artifacts"
_SCHEME = "mlflow-artifacts:/"


class StoredFiles:
    """The model folder of one version in the store of an MLflow server that proxies artifacts.

    Args:
        registry: The server.
        model: Registered model.
        version: Its version.

    Attributes:
        uri: Where the folder is, as the server names it.
    """

    def __init__(self, registry: Registry, model: str, version: int) -> None:
        self._registry = registry
        model_id = read_version(registry, model, version)["source"].removeprefix("models:/")
        found = call(registry, "GET", f"/api/2.0/mlflow/logged-models/{model_id}")
        self.uri: str = found["model"]["info"]["artifact_uri"]
        assert self.uri.startswith(_SCHEME), f"{self.uri} is not behind the server's proxy"
        self._place = self.uri.removeprefix(_SCHEME)

    @property
    def digest(self) -> str:
        """Canonical digest of the files as they are now."""
        return digest_files(
            {path: hashlib.sha256(self.read(path)).hexdigest() for path in self.list()}
        )

    def list(self, folder: str = "") -> list[str]:
        """Return the paths of all files below a folder of the model."""
        place = f"{self._place}/{folder}".rstrip("/")
        query = urllib.parse.urlencode({"path": place})
        found: list[str] = []
        for entry in call(self._registry, "GET", f"{_PROXY}?{query}").get("files", []):
            path = f"{folder}/{entry['path']}".lstrip("/")
            found += self.list(path) if entry.get("is_dir") else [path]
        return found

    def read(self, path: str) -> bytes:
        """Return the content of a file."""
        return send(self._registry, "GET", self._address(path))

    def overwrite(self, path: str, content: bytes) -> None:
        """Put other content in the place of a file, as whoever reaches the proxy can."""
        send(self._registry, "PUT", self._address(path), content)

    def _address(self, path: str) -> str:
        return f"{_PROXY}/{urllib.parse.quote(f'{self._place}/{path}')}"
