"""What the API server writes down about the requests of programs that run in the cluster.

It tells which rights a program really uses. People and the cluster's own parts are left out.
"""

import json
from pathlib import Path
from typing import Final

from regisseur_devcluster.arguments import flags

POLICY: Final = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
        {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
        {"level": "None"},
    ],
}
_LARGEST_MEBIBYTES: Final = 64


def audit_arguments(folder: Path, log: Path) -> list[str]:
    """Write the policy and return the API server's arguments.

    Args:
        folder: Where the policy is kept.
        log: A line of JSON for each request; the two newest files are kept.
    """
    policy = folder / "audit-policy.json"
    policy.write_text(json.dumps(POLICY))
    return flags(
        audit_policy_file=policy,
        audit_log_path=log,
        audit_log_maxsize=_LARGEST_MEBIBYTES,
        audit_log_maxbackup=1,
    )
