"""Credentials for the artifact store: how they go out, and how they stay out of every message."""

from base64 import b64encode
from dataclasses import dataclass, field

from regisseur_serving.errors import SettingsError

_REDACTED = "[redacted]"


@dataclass(frozen=True)
class Authorization:
    """What a request says of who sends it.

    Attributes:
        header: Value of the header `Authorization`; empty for nobody.
        secrets: What no message may hold.
    """

    header: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a request."""
        return {"Authorization": self.header} if self.header else {}

    def redact(self, text: str) -> str:
        """Return a text without the secrets: a server may repeat what it was sent."""
        return redact(text, self.secrets)


ANONYMOUS = Authorization()


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """Return a text without what no message may hold."""
    for secret in secrets:
        text = text.replace(secret, _REDACTED)
    return text


def authorize(username: str, password: str, token: str) -> Authorization:
    """Return what MLflow's own client would send with these variables of its environment.

    Raises:
        SettingsError: They are incomplete or cannot be sent; never says what they are.
    """
    if username or password:
        return _basic(username, password)
    return _bearer(token) if token else ANONYMOUS


def _basic(username: str, password: str) -> Authorization:
    if not (username and password):
        raise SettingsError(
            "only one of MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD is set; set both"
        )
    if ":" in username:
        raise SettingsError("MLFLOW_TRACKING_USERNAME holds a colon, which no user name can")
    pair = b64encode(f"{username}:{password}".encode("utf-8", "surrogateescape")).decode()
    return Authorization(f"Basic {pair}", (pair, password))


def _bearer(token: str) -> Authorization:
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise SettingsError(
            "MLFLOW_TRACKING_TOKEN holds characters that no HTTP header can; set it again"
        )
    return Authorization(f"Bearer {token}", (token,))
