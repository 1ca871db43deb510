"""The cluster's certificates: one authority of its own, made by openssl, valid for ten years."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from regisseur_devcluster.commands import run

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "3650")


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """A folder of certificates that one authority signed."""

    folder: Path

    @property
    def pair(self) -> Pair:
        """The authority's own certificate, which clients trust, and its key."""
        return self._pair("ca")

    def create(self) -> None:
        """Make the authority unless it is there."""
        pair = self.pair
        if pair.certificate.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        extensions = ("-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature")
        self._request(pair, "/CN=regisseur-devcluster", extensions, ())

    def client(self, name: str, *, user: str, group: str = "") -> Pair:
        """Return the pair by which a client proves who it is."""
        subject = f"/O={group}/CN={user}" if group else f"/CN={user}"
        return self._signed(name, subject, ("extendedKeyUsage=clientAuth",))

    def server(self, name: str, *, hosts: Sequence[str]) -> Pair:
        """Return the pair of a server that answers under some names and addresses."""
        names = ",".join(f"{_kind(host)}:{host}" for host in hosts)
        # etcd's gateway is a client of its own server with the same certificate.
        usage = "extendedKeyUsage=serverAuth,clientAuth"
        return self._signed(name, f"/CN={name}", (usage, f"subjectAltName={names}"))

    def signing_key(self, name: str) -> Pair:
        """Return a key pair for tokens: the public half lies where a certificate would."""
        pair = self._pair(name)
        if not pair.certificate.exists():
            run(
                ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", pair.key]
            )
            pair.key.chmod(0o600)
            run(["openssl", "ec", "-in", pair.key, "-pubout", "-out", pair.certificate])
        return pair

    def _signed(self, name: str, subject: str, extensions: Sequence[str]) -> Pair:
        pair = self._pair(name)
        if not pair.certificate.exists():
            added = [part for extension in extensions for part in ("-addext", extension)]
            added += ["-addext", "basicConstraints=critical,CA:FALSE"]
            signer = ("-CA", self.pair.certificate, "-CAkey", self.pair.key)
            self._request(pair, subject, added, signer)
        return pair

    def _request(
        self, pair: Pair, subject: str, extensions: Sequence[str], signer: Sequence[str | Path]
    ) -> None:
        """Make key and certificate in one go; the certificate gets its name last."""
        unfinished = pair.certificate.with_suffix(".new")
        output = ("-keyout", pair.key, "-out", unfinished, "-subj", subject)
        run(["openssl", "req", "-x509", *NEW_KEY, *signer, *extensions, *output])
        pair.key.chmod(0o600)
        unfinished.rename(pair.certificate)

    def _pair(self, name: str) -> Pair:
        return Pair(self.folder / f"{name}.crt", self.folder / f"{name}.key")


def _kind(host: str) -> str:
    return "IP" if host.replace(".", "").isdigit() else "DNS"
