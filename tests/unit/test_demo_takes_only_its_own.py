"""On a person's own cluster the demo takes away what it brought, and nothing else."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from regisseur_devcluster.demo.belongings import mark_deployed, refuse_others, remove_demo
from regisseur_devcluster.demo.kubectl import Kubectl
from regisseur_devcluster.errors import DevclusterError

CRD = "modeldeployments.regisseur.dev"
OURS, NOT_OURS = "regisseur.dev/demo=true", "regisseur.dev/demo!=true"
WINE = "modeldeployment.regisseur.dev/wine"


@dataclass(frozen=True)
class Answering(Kubectl):
    """Answers from a table by the words of the question, and notes what it is told to do."""

    helm: Path | None = field(default_factory=lambda: Path(shutil.which("true") or "/bin/true"))
    namespaces: dict[str, str] = field(default_factory=dict)
    release: tuple[str, str] | None = None
    deployments: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def __call__(
        self, *arguments: str | Path, stdin: str | None = None, timeout_seconds: float = 300
    ) -> str:
        """Answer `get`, and note anything else."""
        del stdin, timeout_seconds
        words = [str(argument) for argument in arguments]
        if words[0] != "get":
            self.told.append(" ".join(words))
            return ""
        if words[1] == "namespaces":
            return self.namespaces.get(words[3], "")
        if words[1] == "customresourcedefinition":
            return self._definition()
        return self.deployments.get(words[2] if words[2].startswith("--") else words[5], "")

    def _definition(self) -> str:
        if self.release is None:
            return ""
        names = ("meta.helm.sh/release-namespace", "meta.helm.sh/release-name")
        return json.dumps(
            {"metadata": {"annotations": dict(zip(names, self.release, strict=True))}}
        )


CONFIG = Path("kubeconfig")
BOTH = {OURS: "namespace/regisseur-system\nnamespace/mlops\n"}
RELEASE = ("regisseur-system", "regisseur")


def test_without_the_marked_namespace_there_is_no_demo() -> None:
    cluster = Answering(CONFIG, namespaces={NOT_OURS: "namespace/regisseur-system"})

    assert remove_demo(cluster) is False

    assert cluster.told == []


def test_what_the_demo_brought_goes_its_mark_last() -> None:
    cluster = Answering(CONFIG, namespaces=BOTH, release=RELEASE)

    assert remove_demo(cluster) is True

    assert cluster.told == [
        f"delete {CRD} -n default -l {OURS}",
        f"delete customresourcedefinition {CRD} --ignore-not-found",
        "delete namespace mlops --ignore-not-found",
        "delete namespace regisseur-system --ignore-not-found",
    ]


def test_it_can_be_repeated_when_the_definition_is_gone() -> None:
    cluster = Answering(CONFIG, namespaces={OURS: "namespace/regisseur-system"})

    assert remove_demo(cluster) is True

    assert cluster.told == ["delete namespace regisseur-system --ignore-not-found"]


@pytest.mark.parametrize(
    ("release", "deployments"),
    [
        pytest.param(("mlops-platform", "regisseur"), {}, id="of another release"),
        pytest.param(RELEASE, {"--all-namespaces": "x/theirs"}, id="somebody uses it"),
    ],
)
def test_a_definition_of_other_people_stays(
    release: tuple[str, str], deployments: dict[str, str]
) -> None:
    cluster = Answering(CONFIG, namespaces=BOTH, release=release, deployments=deployments)

    assert remove_demo(cluster) is True

    assert not [told for told in cluster.told if "delete customresourcedefinition" in told]


@pytest.mark.parametrize(
    ("cluster", "what"),
    [
        pytest.param(
            Answering(CONFIG, namespaces={NOT_OURS: "namespace/mlops"}),
            "a namespace mlops",
            id="namespace",
        ),
        pytest.param(
            Answering(CONFIG, release=("ours", "regisseur")), f"a definition {CRD}", id="definition"
        ),
        pytest.param(
            Answering(CONFIG, release=RELEASE, deployments={NOT_OURS: WINE}),
            "a ModelDeployment default/wine",
            id="model",
        ),
    ],
)
def test_a_cluster_in_use_is_refused_in_one_line(cluster: Answering, what: str) -> None:
    with pytest.raises(DevclusterError) as refused:
        refuse_others(cluster)

    assert what in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "cluster",
    [
        Answering(CONFIG),
        Answering(CONFIG, namespaces=BOTH, release=RELEASE),
        Answering(CONFIG, release=RELEASE, deployments={NOT_OURS: f"{WINE}-of-mine"}),
    ],
    ids=["empty", "the demo's own", "another model"],
)
def test_a_free_cluster_is_taken(cluster: Answering) -> None:
    refuse_others(cluster)


def test_the_model_is_marked() -> None:
    cluster = Answering(CONFIG)

    mark_deployed(cluster)

    assert cluster.told == [f"label {CRD} -n default wine {OURS} --overwrite"]


@pytest.mark.parametrize(
    ("found", "typed"),
    [("/usr/bin/kubectl", "kubectl"), (None, "/cache/kubectl")],
    ids=["at hand", "only ours"],
)
def test_a_hint_works_without_a_kubectl_of_ones_own(
    monkeypatch: pytest.MonkeyPatch, found: str | None, typed: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: found)

    assert Kubectl(CONFIG, Path("/cache/kubectl")).typed == f"{typed} --kubeconfig kubeconfig"
