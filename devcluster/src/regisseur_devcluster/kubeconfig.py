"""Kubeconfig files: how each part of the cluster, and a person, reaches the API server."""

import base64
import json
from pathlib import Path

from regisseur_devcluster.certificates import Pair

NAME = "regisseur"
"""The name of cluster, user and context alike."""


def write_kubeconfig(path: Path, *, url: str, authority: Path, client: Pair) -> Path:
    """Write a kubeconfig that needs no other file, so that people may carry it elsewhere."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": NAME,
                "cluster": {"server": url, "certificate-authority-data": _encoded(authority)},
            }
        ],
        "users": [
            {
                "name": NAME,
                "user": {
                    "client-certificate-data": _encoded(client.certificate),
                    "client-key-data": _encoded(client.key),
                },
            }
        ],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "current-context": NAME,
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(document, indent=2) + "\n")
    return path


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
