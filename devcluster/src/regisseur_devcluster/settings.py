"""Where things live: the only module here that reads the environment."""

import os
from pathlib import Path

from regisseur_devcluster.endpoints import WITHOUT_PROXY

REPOSITORY = Path(__file__).resolve().parents[3]
"""The checkout; the members are installed editable, so the package lies inside it."""

TOOLS = REPOSITORY / "devcluster" / "tools"


def cache_folder() -> Path:
    """Return the folder of things built once for all checkouts on the machine."""
    return _folder("REGISSEUR_CACHE", "XDG_CACHE_HOME", ".cache")


def state_folder() -> Path:
    """Return the folder that holds the running cluster."""
    return _folder("REGISSEUR_STATE", "XDG_STATE_HOME", ".local/state")


def pip_configuration() -> Path | None:
    """Return the pip configuration of this machine, if it has one."""
    candidates = [
        Path(os.environ.get("PIP_CONFIG_FILE", "/nonexistent")),
        Path.home() / ".config" / "pip" / "pip.conf",
        Path("/etc/pip.conf"),
    ]
    return next((path for path in candidates if path.is_file()), None)


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment with some variables added.

    Whatever proxy it names, what leads to the cluster goes around it.
    """
    around = _around_proxies()
    return {**os.environ, "NO_PROXY": around, "no_proxy": around, **(extra or {})}


def search_path(first: Path) -> str:
    """Return where programs are looked for: in a folder first, then where they always are."""
    return os.pathsep.join((str(first), os.environ.get("PATH", os.defpath)))


def _around_proxies() -> str:
    """Return the hosts without a proxy; programs read either spelling, so both say the same."""
    given = ",".join(os.environ.get(name, "") for name in ("NO_PROXY", "no_proxy")).split(",")
    hosts = [host.strip() for host in given if host.strip()]
    # A star is understood only when it stands alone.
    return "*" if "*" in hosts else ",".join(dict.fromkeys([*hosts, *WITHOUT_PROXY]))


def _folder(own: str, xdg: str, default: str) -> Path:
    if chosen := os.environ.get(own):
        return Path(chosen).expanduser().resolve()
    base = os.environ.get(xdg) or Path.home() / default
    return (Path(base) / "regisseur").resolve()
