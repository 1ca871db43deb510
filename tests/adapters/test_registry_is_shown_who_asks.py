"""Credentials, authorities and workspaces of a registry, all of them files that may change."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from regisseur_contract.exits import CONFIGURATION, STORE_UNAVAILABLE
from regisseur_contract.tags import STAGE_PRODUCTION
from regisseur_devcluster.certificates import Authority
from regisseur_operator.adapters.mlflow_access import MlflowAccess
from regisseur_operator.adapters.mlflow_registry import MlflowRegistry
from regisseur_operator.errors import TerminalError, UnreachableError
from support.cuttable_proxy import CuttableProxy
from support.guarded_mlflow_server import OPERATOR, GuardedMlflowServer
from support.hostile_server import build_answer, say, serve
from support.mlflow_server import MlflowServer
from support.model_folders import ModelFolder
from support.model_versions import call, create_model_version, transition
from support.serving_process import run_fetch
from support.workspaced_mlflow_server import Workspace, WorkspacedMlflowServer

Write = Callable[..., None]


class MountedSecret:
    """A folder as the kubelet mounts a Secret: files are links, and all change at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0
        folder.mkdir()

    def hold(self, **files: str) -> None:
        """Replace what the Secret holds."""
        self._count += 1
        data = self.folder / f"..{self._count}"
        data.mkdir()
        for name, text in files.items():
            (data / name).write_text(text)
        link = self.folder / "..new"
        link.symlink_to(data.name)
        link.rename(self.folder / "..data")
        for name in files.keys() - {path.name for path in self.folder.iterdir()}:
            (self.folder / name).symlink_to(Path("..data", name))


@pytest.fixture
def secret(tmp_path: Path) -> MountedSecret:
    """Return a Secret that holds nothing yet."""
    return MountedSecret(tmp_path / "credentials")


@asynccontextmanager
async def asked(url: str, access: MlflowAccess) -> AsyncIterator[MlflowRegistry]:
    registry = MlflowRegistry(url, access=access, timeout_seconds=10.0)
    try:
        yield registry
    finally:
        await registry.close()


def promote(server: MlflowServer | Workspace, name: str, *, folder: Path | None = None) -> int:
    version = create_model_version(server, name, folder=folder)
    transition(server, name, version, STAGE_PRODUCTION)
    return version


# ---- credentials ---------------------------------------------------------------------------------


async def test_credentials_that_change_are_read_again(
    guarded_mlflow_server: GuardedMlflowServer, model_name: str, secret: MountedSecret
) -> None:
    server = guarded_mlflow_server
    promote(server, model_name)
    server.permit("registered_model", model_name)
    username, password = OPERATOR.split(":")
    access = MlflowAccess(server.address, credentials=secret.folder)
    async with asked(server.address, access) as registry:
        with pytest.raises(TerminalError, match="holds neither username and password nor a token"):
            await registry.search_models([model_name])
        secret.hold(username=username, password="example-of-yesterday")
        with pytest.raises(TerminalError, match=r"refuses the operator \(401\)") as caught:
            await registry.search_models([model_name])
        assert "example-of-yesterday" not in str(caught.value)

        secret.hold(username=f"{username}\n", password=f"{password}\n")
        assert model_name in await registry.search_models([model_name])

        secret.hold(username=username, password="example-of-tomorrow")
        with pytest.raises(TerminalError, match="refuses the operator"):
            await registry.search_models([model_name])


async def test_a_token_goes_out_as_a_bearer_and_stays_out_of_messages(
    secret: MountedSecret,
) -> None:
    secret.hold(token="example-token-1\n")
    echo = b'{"error_code": "INTERNAL_ERROR", "message": "you sent example-token-1"}'
    async with serve(say(build_answer(echo, status="500 Oh"))) as url:
        access = MlflowAccess(url, credentials=secret.folder)
        assert access.headers() == {"Authorization": "Bearer example-token-1"}
        async with asked(url, access) as registry:
            with pytest.raises(UnreachableError, match=r"you sent \[redacted\]"):
                await registry.search_models(["wine"])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"username": "me"}, "neither username and password nor a token"),
        ({"token": "two words"}, "characters that no HTTP header can"),
        ({"token": "tökén"}, "characters that no HTTP header can"),
        ({"username": "a:b", "password": "pass-word"}, "a colon"),
    ],
)
def test_what_is_no_credential_is_told(
    secret: MountedSecret, files: dict[str, str], message: str
) -> None:
    secret.hold(**files)
    access = MlflowAccess("https://mlflow.example.com", credentials=secret.folder)

    with pytest.raises(TerminalError, match=message) as caught:
        access.headers()

    assert not any(text in str(caught.value) for text in files.values() if len(text) > 3)


def test_files_are_read_once_while_they_stay(
    secret: MountedSecret, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret.hold(token="example")
    access = MlflowAccess("https://mlflow.example.com", credentials=secret.folder)
    access.headers()
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: pytest.fail("it is read again"))

    assert access.headers() == {"Authorization": "Bearer example"}


# ---- authorities ---------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Return an authority that no system believes."""
    authority = Authority(tmp_path / "authority")
    authority.create()
    return authority


def secure(server: MlflowServer, authority: Authority) -> CuttableProxy:
    """Put TLS in front of a server."""
    pair = authority.server("mlflow", hosts=["127.0.0.1"])
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pair.certificate, pair.key)
    return CuttableProxy(server.port, tls=tls)


async def test_a_bundle_makes_a_server_believed(
    mlflow_server: MlflowServer, model_name: str, authority: Authority, tmp_path: Path
) -> None:
    promote(mlflow_server, model_name)
    bundle = tmp_path / "bundle.crt"
    with secure(mlflow_server, authority) as front:
        url = f"https://127.0.0.1:{front.port}"
        async with asked(url, MlflowAccess(url)) as registry:
            with pytest.raises(UnreachableError, match="certificate verify failed"):
                await registry.search_models([model_name])
        async with asked(url, MlflowAccess(url, authorities=bundle)) as registry:
            with pytest.raises(UnreachableError, match=r"bundle\.crt cannot be read: No such file"):
                await registry.search_models([model_name])
            bundle.write_text("nothing of the kind")
            with pytest.raises(UnreachableError, match="it holds no certificate"):
                await registry.search_models([model_name])
            bundle.write_bytes(authority.pair.certificate.read_bytes())

            assert model_name in await registry.search_models([model_name])


def test_a_pod_believes_the_same_bundle(
    mlflow_server: MlflowServer,
    model_name: str,
    authority: Authority,
    linear_folder: ModelFolder,
    tmp_path: Path,
) -> None:
    create_model_version(mlflow_server, model_name, folder=linear_folder.path)
    uri = find_uri(mlflow_server, model_name)
    bundle = authority.pair.certificate
    with secure(mlflow_server, authority) as front:
        url = f"https://127.0.0.1:{front.port}"
        strange = run_fetch(uri, url, tmp_path / "a" / "model", timeout_seconds=3)
        missing = run_fetch(uri, url, tmp_path / "b" / "model", REGISSEUR_CA_FILE="/none/ca.crt")
        good = run_fetch(uri, url, tmp_path / "c" / "model", REGISSEUR_CA_FILE=str(bundle))

    assert strange.returncode == STORE_UNAVAILABLE
    assert "certificate verify failed" in strange.stderr
    assert missing.returncode == CONFIGURATION
    assert "/none/ca.crt (REGISSEUR_CA_FILE): No such file" in missing.stderr
    assert good.returncode == 0, good.stderr


def find_uri(server: MlflowServer | Workspace, name: str) -> str:
    """Return where the registry says that version 1 is."""
    query = urlencode({"name": name, "version": 1})
    found = call(server, "GET", f"/api/2.0/mlflow/model-versions/get-download-uri?{query}")
    return str(found["artifact_uri"])


# ---- workspaces ----------------------------------------------------------------------------------


async def test_a_name_is_another_model_in_each_workspace(
    workspaced_mlflow_server: WorkspacedMlflowServer,
    linear_folder: ModelFolder,
    tmp_path: Path,
    model_name: str,
) -> None:
    url = workspaced_mlflow_server.url
    first, second = (Workspace(workspaced_mlflow_server, name) for name in ("team-a", "team-b"))
    promote(first, model_name, folder=linear_folder.path)
    for _ in range(2):
        promote(second, model_name)
    found = []
    for name in ("team-a", "team-b", "team-c"):
        async with asked(url, MlflowAccess(url, workspace=name)) as registry:
            if name == "team-c":
                with pytest.raises(UnreachableError, match="team-c"):
                    await registry.search_models([model_name])
            else:
                versions = await registry.versions(model_name)
                found.append({v.version for v in versions if v.stage == STAGE_PRODUCTION})

    assert found == [{1}, {2}]
    uri, model = find_uri(first, model_name), tmp_path / "pod" / "model"
    fetched = run_fetch(uri, url, model, REGISSEUR_REGISTRY_WORKSPACE="team-a")
    assert fetched.returncode == 0, fetched.stderr
    foreign = run_fetch(uri, url, tmp_path / "other" / "model", timeout_seconds=3)
    assert foreign.returncode != 0


async def test_a_server_without_workspaces_says_so(mlflow_server: MlflowServer) -> None:
    access = MlflowAccess(mlflow_server.url, workspace="team-a")
    async with asked(mlflow_server.url, access) as registry:
        with pytest.raises(UnreachableError, match="FEATURE_DISABLED"):
            await registry.search_models(["wine"])
