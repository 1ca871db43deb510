"""What the chart makes of its values, and which values it refuses."""

import re
from pathlib import Path

import pytest
import yaml

from regisseur_devcluster.errors import CommandError
from regisseur_operator.settings import OperatorSettings, load_settings
from support.chart import CHART, MINIMAL, RELEASE, VALUES_FILES, helm, render, select

CRD = "modeldeployments.regisseur.dev"
KEEP = "helm.sh/resource-policy"
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("values", VALUES_FILES, ids=lambda path: path.name)
def test_helm_finds_nothing_to_say_against_it(values: Path) -> None:
    helm("lint", "--strict", "--quiet", CHART, "--values", values)


def test_its_version_is_the_projects() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert project
    assert {chart["version"], chart["appVersion"]} == {project.group(1)}


def test_every_value_is_in_the_schema_and_explained() -> None:
    text = (CHART / "values.yaml").read_text()
    schema = yaml.safe_load((CHART / "values.schema.json").read_text())
    assert set(yaml.safe_load(text)) <= set(schema["properties"])
    assert not [part for part in text.split("\n\n") if not part.startswith("#")]


def test_without_a_registry_it_says_how_to_name_one() -> None:
    with pytest.raises(CommandError, match=r"--set registries\.default\.url=http://"):
        render("--set", "replicas=1")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("registries.default.url=mlflow:5000", "'/registries/default/url'"),
        ("registries.default.url=http://user:example@mlflow", "'/registries/default/url'"),
        ("registries.Default.url=http://mlflow", "invalid propertyName 'Default'"),
        ("registries.default.poll=3", "additional properties 'poll' not allowed"),
        ("workers=0", "'/workers': minimum: got 0, want 1"),
        ("watchNamespaces={Team_A}", "'/watchNamespaces/0'"),
        ("rolloutsAtOnce=-1", "'/rolloutsAtOnce': minimum: got -1, want 0"),
        ("replicas=two", "'/replicas': got string, want integer"),
        ("log.format=xml", "'/log/format'"),
        ("crds.keep=maybe", "'/crds/keep': got string, want boolean"),
        ("replicaCount=2", "additional properties 'replicaCount' not allowed"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(value: str, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        render(*MINIMAL, "--set", value)
    assert message in caught.value.output


def test_an_operator_of_some_namespaces_asks_for_nothing_of_the_cluster() -> None:
    manifests = render("--values", CHART / "ci" / "namespaced-values.yaml")
    assert not [m["metadata"]["name"] for m in manifests if m["kind"].startswith("Cluster")]
    places = {m["metadata"]["namespace"] for m in manifests if m["kind"] == "RoleBinding"}
    assert places == {"default", "regisseur-system"}
    everywhere = select(render(), "ClusterRole")["rules"]
    assert select(manifests, "Role", f"{RELEASE}-models", "default")["rules"] == everywhere


def test_the_definition_is_kept_when_the_release_goes() -> None:
    crd = select(render(), "CustomResourceDefinition", CRD)
    assert crd["metadata"]["annotations"] == {KEEP: "keep"}


def test_the_definition_goes_with_the_release_if_asked_for() -> None:
    crd = select(render(*MINIMAL, "--set", "crds.keep=false"), "CustomResourceDefinition", CRD)
    assert KEEP not in crd["metadata"].get("annotations", {})


def test_the_definition_can_be_left_to_others() -> None:
    kinds = [manifest["kind"] for manifest in render(*MINIMAL, "--set", "crds.enabled=false")]
    assert "CustomResourceDefinition" not in kinds


def test_the_definition_is_the_generated_one() -> None:
    crd = select(render(), "CustomResourceDefinition", CRD)
    assert crd["spec"] == yaml.safe_load((ROOT / "crds" / f"{CRD}.yaml").read_text())["spec"]


@pytest.mark.parametrize("values", VALUES_FILES, ids=lambda path: path.name)
def test_the_operator_understands_its_configuration(
    values: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifests = render("--values", values)
    container = select(manifests, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    file = tmp_path / "registries.yaml"
    file.write_text(select(manifests, "ConfigMap")["data"]["registries.yaml"])
    for variable in container["env"]:
        monkeypatch.setenv(variable["name"], variable.get("value", "from-the-pod"))
    monkeypatch.setenv("REGISSEUR_REGISTRIES_FILE", str(file))

    settings = load_settings()

    chosen = yaml.safe_load(values.read_text())
    assert {registry.name for registry in settings.registries} == set(chosen["registries"])
    assert settings.workers == chosen.get("workers", 8)
    assert settings.namespaces == tuple(chosen.get("watchNamespaces", ()))
    assert (settings.rehearsals_at_once, settings.rollouts_at_once) == (20, 50)
    assert settings.web_port == container["ports"][0]["containerPort"]
    known = {f"REGISSEUR_{name}".upper() for name in OperatorSettings.model_fields}
    assert {variable["name"] for variable in container["env"]} <= known


def test_other_registries_bring_other_pods() -> None:
    def annotations(*arguments: str) -> dict[str, str]:
        template = select(render(*MINIMAL, *arguments), "Deployment")["spec"]["template"]
        found: dict[str, str] = template["metadata"]["annotations"]
        return found

    moved = ("--set", "registries.default.url=http://elsewhere:5000")
    assert annotations() != annotations(*moved)
    assert annotations() == annotations("--set", "metricsService.enabled=true")


def test_the_notes_show_a_resource_that_names_the_right_registry() -> None:
    text = helm(
        "install", "x", CHART, "--dry-run=client", "--set", "registries.eu.url=http://mlflow"
    )
    notes = text.partition("NOTES:")[2]
    resource = notes.partition("<<EOF\n")[2].partition("EOF")[0]
    assert yaml.safe_load(resource)["spec"]["model"]["registry"] == "eu"
