"""The Go programs of the cluster: built once per machine from pinned modules.

A family is a folder with a go.mod of its own, so that versions of one never fight with another's.
The result is keyed by what goes into it and by the Go version; a second checkout pays nothing.
"""

import hashlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from regisseur_devcluster.commands import run
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.golang import go_program, go_version
from regisseur_devcluster.locking import exclusive
from regisseur_devcluster.settings import TOOLS, cache_folder
from regisseur_devcluster.steps import step

BUILD_LIMIT_SECONDS = 3600


@dataclass(frozen=True)
class Family:
    """Programs that are built together.

    Attributes:
        folder: Name of the folder below devcluster/tools.
        module: The Go module whose version is the family's; empty when it has none.
        programs: Names of the programs, with the name Go gives each.
        packages: What `go build` is asked for: `tool` is all tools of the go.mod.
        variables: Go variables that the linker sets; {version} stands for the version.
    """

    folder: str
    module: str
    programs: Mapping[str, str]
    packages: str = "tool"
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def source(self) -> Path:
        """The folder with its go.mod."""
        return TOOLS / self.folder

    @property
    def version(self) -> str:
        """The version that the go.mod pins."""
        pins = (self.source / "go.mod").read_text()
        found = re.search(rf"^\s*(?:require )?{re.escape(self.module)} v(\S+)", pins, re.MULTILINE)
        return found[1] if found else ""

    @property
    def title(self) -> str:
        """What people call it."""
        return f"{self.folder} {self.version}".strip()


FAMILIES = (
    Family(
        "kubernetes",
        "k8s.io/kubernetes",
        {
            name: name
            for name in (
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kube-proxy",
                "kubelet",
                "kubectl",
            )
        },
        variables={
            "k8s.io/component-base/version.gitVersion": "v{version}",
            "k8s.io/component-base/version.gitMajor": "{major}",
            "k8s.io/component-base/version.gitMinor": "{minor}",
        },
    ),
    Family("etcd", "go.etcd.io/etcd/server/v3", {"etcd": "server"}),
    Family("coredns", "github.com/coredns/coredns", {"coredns": "coredns"}, packages="."),
    Family("helm", "helm.sh/helm/v4", {"helm": "helm", "kubeconform": "kubeconform"}),
    Family("metrics-server", "sigs.k8s.io/metrics-server", {"metrics-server": "metrics-server"}),
    Family("pause", "", {"pause": "pause"}, packages="."),
)


def tool(name: str) -> Path:
    """Return the path of a program, built now if this machine has not built it yet."""
    family = next((family for family in FAMILIES if name in family.programs), None)
    if family is None:
        known = ", ".join(sorted(name for family in FAMILIES for name in family.programs))
        raise DevclusterError(f"there is no tool called {name}; there are: {known}")
    return ensure(family) / name


def prepare(*names: str) -> None:
    """Build what some programs need, unless this machine has built it before."""
    wanted = [family for family in FAMILIES if not set(names).isdisjoint(family.programs)]
    for family in wanted:
        ensure(family)


def ensure(family: Family) -> Path:
    """Return the folder with a family's programs, built if need be."""
    folder = build_folder(family)
    if folder.exists():
        return folder
    with exclusive(
        folder.with_name(f".{family.folder}.lock"), waiting_for=f"build of {family.folder}"
    ):
        if not folder.exists():
            _build(family, folder)
    return folder


def _build(family: Family, folder: Path) -> None:
    """Build into a folder beside the wanted one, so that a half-built one is never seen."""
    unfinished = folder.with_name(f".{folder.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        with step(f"building {family.title} with Go {go_version()}"):
            command: list[str | Path] = [go_program(), "build", "-trimpath", "-buildvcs=false"]
            command += ["-ldflags", linker_flags(family), "-o", f"{unfinished}/"]
            run(
                [*command, family.packages],
                extra_environment={"CGO_ENABLED": "0", "GOWORK": "off"},
                folder=family.source,
                timeout_seconds=BUILD_LIMIT_SECONDS,
            )
        for name, built in family.programs.items():
            (unfinished / built).rename(unfinished / name)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def linker_flags(family: Family) -> str:
    """Return what the linker is told: no debug information, and the version."""
    major, minor, *_ = [*family.version.split("."), "0"]
    values = {"version": family.version, "major": major, "minor": minor}
    variables = [f"-X {name}={text.format(**values)}" for name, text in family.variables.items()]
    return " ".join(["-s", "-w", *variables])


def build_folder(family: Family) -> Path:
    """Return where a family's programs lie, named after everything that a build depends on."""
    return cache_folder() / "tools" / f"{family.folder}-{_key(family)}"


def _key(family: Family) -> str:
    """Return a short hash of everything that a build depends on."""
    inputs = sorted(
        path for path in family.source.iterdir() if path.suffix in {".go", ".mod", ".sum"}
    )
    digest = hashlib.sha256(f"{go_version()} {linker_flags(family)}\n".encode())
    for path in inputs:
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]
