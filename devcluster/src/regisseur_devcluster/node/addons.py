"""Objects that every cluster with a node starts with: rights for the DNS, and a few volumes."""

from pathlib import Path

from regisseur_devcluster.node.dns import USER
from regisseur_devcluster.node.layout import NODE_NAME

STORAGE_CLASS = "local"
VOLUMES = 4
VOLUME_SIZE = "20Gi"
RBAC = "rbac.authorization.k8s.io"


def addons(volumes: Path) -> dict[str, object]:
    """Return the objects as one list."""
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [_dns_role(), _dns_binding(), _storage_class(), *_volumes(volumes)],
    }


def volume_folders(volumes: Path) -> list[Path]:
    """Return the folders behind the volumes."""
    return [volumes / str(number) for number in range(1, VOLUMES + 1)]


def _dns_role() -> dict[str, object]:
    watch = ["list", "watch"]
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": USER},
        "rules": [
            {"apiGroups": [""], "resources": ["services", "namespaces"], "verbs": watch},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": watch},
        ],
    }


def _dns_binding() -> dict[str, object]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": USER},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": USER},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": USER}],
    }


def _storage_class() -> dict[str, object]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def _volumes(volumes: Path) -> list[dict[str, object]]:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE_NAME]}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"local-{folder.name}"},
            "spec": {
                "capacity": {"storage": VOLUME_SIZE},
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": STORAGE_CLASS,
                "local": {"path": str(folder)},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
            },
        }
        for folder in volume_folders(volumes)
    ]
