"""What an MLflow server is shown and trusted by: credentials, a bundle of authorities, a workspace.

Both are files that the kubelet mounts and replaces when the Secret or the ConfigMap behind them
changes. They are looked at before each call and read again when they are others: nobody has to
restart anything, and a file that comes late is enough.
"""

import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Generic, TypeVar

from regisseur_contract.runtime import HEADER_WORKSPACE
from regisseur_operator.api.reasons import Reason
from regisseur_operator.errors import TerminalError, UnreachableError

USERNAME: Final = "username"
PASSWORD: Final = "password"  # noqa: S105 - the name of a file
TOKEN: Final = "token"  # noqa: S105
REDACTED: Final = "[redacted]"

_Value = TypeVar("_Value")
_State = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True)
class _Credentials:
    """The header that tells who asks, and what no message may hold."""

    header: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


class MlflowAccess:
    """How one MLflow server is asked.

    Args:
        url: Its base address, for what people are told.
        credentials: Folder with the files `username` and `password`, or `token`; None for nobody's.
        authorities: PEM file with the certificates of those who vouch for the server; None for
            those of the system.
        workspace: Which of the server's workspaces is meant; empty for servers without.
    """

    def __init__(
        self,
        url: str,
        *,
        credentials: Path | None = None,
        authorities: Path | None = None,
        workspace: str = "",
    ) -> None:
        self._url = url
        self._workspace = {HEADER_WORKSPACE: workspace} if workspace else {}
        names = (USERNAME, PASSWORD, TOKEN) if credentials is not None else ()
        folder = credentials or Path()
        self._credentials = _Files([folder / name for name in names], self._read_credentials)
        self._trust = _Files([authorities] if authorities else [], self._read_trust)
        self._secrets: tuple[str, ...] = ()

    def headers(self) -> Mapping[str, str]:
        """Return the headers that tell who asks, and for which workspace.

        Raises:
            TerminalError: There are no credentials where there should be.
        """
        found = self._credentials.value()
        self._secrets = found.secrets
        return {**self._workspace, **({"Authorization": found.header} if found.header else {})}

    def trust(self) -> ssl.SSLContext | bool:
        """Return whom to believe; True for those whom the system believes.

        Raises:
            UnreachableError: The bundle cannot be read.
        """
        return self._trust.value()

    def redact(self, text: str) -> str:
        """Return a text of the server's without the secrets: it may repeat what it was sent."""
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return text

    def _read_credentials(self, files: list[Path]) -> _Credentials:
        if not files:
            return _Credentials()
        username, password, token = (_read_line(file) for file in files)
        if ":" in username:
            raise self._refuse(f"{files[0]} holds a colon, which no user name can")
        if username and password:
            pair = b64encode(f"{username}:{password}".encode()).decode()
            return _Credentials(f"Basic {pair}", (pair, password))
        if not token:
            raise self._refuse(f"{files[0].parent} holds neither username and password nor a token")
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise self._refuse(f"{files[2]} holds characters that no HTTP header can")
        return _Credentials(f"Bearer {token}", (token,))

    def _refuse(self, problem: str) -> TerminalError:
        return TerminalError(Reason.REGISTRY_DENIED, f"{self._url} was not asked: {problem}")

    def _read_trust(self, files: list[Path]) -> ssl.SSLContext | bool:
        if not files:
            return True
        try:
            return ssl.create_default_context(cafile=str(files[0]))
        except OSError as error:  # SSLError is one
            is_read = isinstance(error, ssl.SSLError)
            problem = "it holds no certificate" if is_read else error.strerror
            raise UnreachableError(
                f"{self._url} was not asked: {files[0]} cannot be read: {problem}"
            ) from None


class _Files(Generic[_Value]):
    """What files say, read again only when one of them is another."""

    def __init__(self, files: list[Path], read: Callable[[list[Path]], _Value]) -> None:
        self._files = files
        self._read = read
        self._read_at: _State | None = None
        self._value: _Value

    def value(self) -> _Value:
        state = tuple(map(_look_at, self._files))
        if state != self._read_at:
            self._value = self._read(self._files)
            self._read_at = state
        return self._value


def _look_at(file: Path) -> tuple[int, int, int] | None:
    """Tell one state of a file from another; a link is followed to what the kubelet put there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read_line(file: Path) -> str:
    """Return what a file holds, without the line break that editors leave at its end."""
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        return ""
