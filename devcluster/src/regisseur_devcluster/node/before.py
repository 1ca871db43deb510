"""What the machine was like before the cluster came, so that it can be like that again.

The notes lie under /run, not in the state folder: whoever comes next finds there which state
folder holds the node, even when that folder is gone.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from regisseur_devcluster.node.firewall import our_chains, used_tables
from regisseur_devcluster.node.layout import RUN
from regisseur_devcluster.node.sysctls import read_sysctls
from regisseur_devcluster.processes import boot

NOTES = RUN / "before.json"

SHARED = (
    Path("/run/containerd/s"),
    Path("/run/containerd"),
    Path("/var/lib/cni/results"),
    Path("/var/lib/cni"),
    Path("/var/lib/kubelet/device-plugins"),
    Path("/var/lib/kubelet"),
    Path("/var/log/containers"),
)
"""Folders at a fixed place outside ours, the innermost first; removed if we brought them."""


@dataclass(frozen=True)
class Before:
    """The machine before the first start.

    Attributes:
        folder: The folder of the cluster that holds the node.
        boot: The boot of the machine in which it was started.
        sysctls: Kernel settings by path.
        chains: Chains of iptables that look like ours but are not.
        tables: Tables of iptables that were in use.
        folders: Shared folders that existed.
    """

    folder: str
    boot: str
    sysctls: dict[str, str]
    chains: list[str]
    tables: list[str]
    folders: list[str]

    @classmethod
    def observe(cls, folder: Path) -> Self:
        """Look at the machine as it is now."""
        return cls(
            folder=str(folder),
            boot=boot(),
            sysctls=read_sysctls(),
            chains=our_chains(),
            tables=used_tables(),
            folders=[str(path) for path in SHARED if path.exists()],
        )

    @classmethod
    def read(cls) -> Self | None:
        """Return the notes, if a cluster holds the node or did so until it was killed.

        Notes of an earlier boot count as none: the kernel has forgotten all that they are about.
        """
        try:
            before = cls(**json.loads(NOTES.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return before if before.boot == boot() else None

    def write(self) -> None:
        """Keep the notes, and nothing else from an earlier boot beside them."""
        RUN.mkdir(parents=True, exist_ok=True)
        for folder in RUN.iterdir():
            if folder.is_dir():
                shutil.rmtree(folder)
        unfinished = NOTES.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(asdict(self), indent=2))
        unfinished.rename(NOTES)
