"""On a real API server every field survives, and so does what older operators left behind."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from regisseur_devcluster.controlplane import ControlPlane
from regisseur_operator.api.crd import CRD_NAME, build_crd
from regisseur_operator.api.v1alpha1 import parse_spec
from support.eventually import eventually

EXAMPLE = Path(__file__).parents[2] / "examples" / "full.yaml"
ROOT = build_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
LABEL_SELECTOR = "serving.podTemplate.topologySpreadConstraints.labelSelector"
Json = dict[str, Any]


def walk(schema: Json, path: str = "") -> Iterator[str]:
    """Yield the path of every property below a schema, lists left out."""
    for name, child in schema.get("properties", {}).items():
        below = f"{path}.{name}".lstrip(".")
        yield below
        yield from walk(child.get("items", child), below)


def walk_values(value: object, path: str = "") -> Iterator[str]:
    """Yield the path of everything that was written, lists left out."""
    for element in value if isinstance(value, list) else [value]:
        for name, child in element.items() if isinstance(element, dict) else ():
            below = f"{path}.{name}".lstrip(".")
            yield below
            yield from walk_values(child, below)


def read(control_plane: ControlPlane, namespace: str, name: str) -> Json:
    """Return a ModelDeployment as it is stored."""
    answer = control_plane.kubectl("get", f"mdep/{name}", "-n", namespace, "-o", "json")
    found: Json = json.loads(answer)
    return found


def apply(control_plane: ControlPlane, namespace: str, spec: Json, *, name: str = "wine") -> Json:
    """Say a spec by server-side apply, as GitOps tools do, and return what is stored."""
    manifest = {
        "apiVersion": "regisseur.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": name},
        "spec": {"model": {"name": "wine", "stage": "Production"}, **spec},
    }
    control_plane.kubectl(
        *("apply", "--server-side", "--validate=strict", "-n", namespace, "-f", "-"),
        stdin=json.dumps(manifest),
    )
    return read(control_plane, namespace, name)


def test_the_full_example_names_every_field() -> None:
    """What cannot stand beside something else stands there as a comment."""
    text = EXAMPLE.read_text()
    said = set(walk_values(yaml.safe_load(text)["spec"]))
    commented = set(re.findall(r"# +(\w+):", text))

    missing = {path for path in walk(ROOT["properties"]["spec"]) if path not in said}
    assert {path for path in missing if path.rsplit(".", 1)[-1] not in commented} == set()


def test_the_full_example_reads_back_as_it_was_written(
    control_plane: ControlPlane, namespace: str
) -> None:
    written = yaml.safe_load(EXAMPLE.read_text())

    control_plane.kubectl("apply", "--validate=strict", "-n", namespace, "-f", EXAMPLE)

    stored = read(control_plane, namespace, "wine-full")
    assert stored["spec"] == written["spec"]
    assert parse_spec(stored) == parse_spec(written)


def test_what_pods_get_is_as_it_was_written(control_plane: ControlPlane, namespace: str) -> None:
    """The API server's own reading of a Pod takes what the spec allows, word for word."""
    serving = yaml.safe_load(EXAMPLE.read_text())["spec"]["serving"]
    parsed = parse_spec(yaml.safe_load(EXAMPLE.read_text())).serving
    template = parsed.pod_template.to_manifest()
    assert template == serving["podTemplate"]

    metadata = {key: template.pop(key) for key in ("labels", "annotations")}
    env = [variable.to_manifest() for variable in parsed.env]
    del template["priorityClassName"]  # of the cluster; this one has no such class
    container = {"name": "server", "image": parsed.image, "env": env}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "wine", **metadata},
        "spec": {
            "containers": [container],
            "imagePullSecrets": [secret.to_manifest() for secret in parsed.image_pull_secrets],
            **template,
        },
    }
    control_plane.kubectl(
        *("create", "--dry-run=server", "--validate=strict", "-n", namespace, "-f", "-"),
        stdin=json.dumps(pod),
    )


@pytest.mark.parametrize(
    ("before", "after", "gone"),
    [
        pytest.param(
            {"strategy": {"rollingUpdate": {"maxSurge": "25%"}}},
            {"strategy": {"recreate": {}}},
            "rollingUpdate",
            id="one strategy for another",
        ),
        pytest.param(
            {},
            {"strategy": {"recreate": {}}},
            "rollingUpdate",
            id="a strategy for the default",
        ),
        pytest.param(
            {
                "autoscaling": {"maxReplicas": 3},
                "serving": {"resources": {"requests": {"cpu": "1"}}},
            },
            {},
            "autoscaling",
            id="autoscaling for replicas",
        ),
        pytest.param(
            {"serving": {"imageFrom": {"modelVersionTag": "image"}}},
            {"serving": {"image": "example.com/server:1"}},
            "imageFrom",
            id="an image for a tag",
        ),
        pytest.param(
            {"serving": {"modelAccess": {"credentialsSecretRef": {"name": "store"}}}},
            {},
            "credentialsSecretRef",
            id="no credentials any more",
        ),
    ],
)
def test_what_is_said_no_longer_is_gone(
    control_plane: ControlPlane, namespace: str, before: Json, after: Json, gone: str
) -> None:
    """Defaults have no owner under server-side apply: none may stay where its parent went."""
    apply(control_plane, namespace, before)

    stored = apply(control_plane, namespace, after)

    assert gone not in json.dumps(stored["spec"])
    parse_spec(stored)


def test_environment_variables_are_merged_by_name(
    control_plane: ControlPlane, namespace: str
) -> None:
    apply(control_plane, namespace, {"serving": {"env": [{"name": "A", "value": "1"}]}})

    control_plane.kubectl(
        *("apply", "--server-side", "--field-manager=other", "-n", namespace, "-f", "-"),
        stdin=json.dumps(
            {
                "apiVersion": "regisseur.dev/v1alpha1",
                "kind": "ModelDeployment",
                "metadata": {"name": "wine"},
                "spec": {"serving": {"env": [{"name": "B", "value": "2"}]}},
            }
        ),
    )

    env = read(control_plane, namespace, "wine")["spec"]["serving"]["env"]
    assert {variable["name"]: variable["value"] for variable in env} == {"A": "1", "B": "2"}


FIRST_SPEC: Json = {
    "model": {"registry": "default", "name": "wine", "stage": "Production"},
    "serving": {"image": "", "resources": {}},
    "service": {"type": "ClusterIP", "port": 80},
    "replicas": 2,
    "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
    "minReadySeconds": 10,
    "progressDeadlineSeconds": 300,
    "suspend": False,
}
"""As the first version of the definition stored it, with the defaults that it filled in."""

LENIENT_SPEC: Json = {
    "type": "object",
    "x-kubernetes-preserve-unknown-fields": True,
    "properties": {"replicas": {"type": "integer"}},
}


def test_what_was_stored_before_the_rules_is_read_and_can_be_changed(
    start_own_control_plane: Callable[[], ControlPlane],
) -> None:
    plane = start_own_control_plane()
    replace_definition(plane, LENIENT_SPEC)
    broken = {**FIRST_SPEC, "model": {"name": "wine"}}
    for name, spec in (("wine", FIRST_SPEC), ("broken", broken)):
        manifest = {
            "apiVersion": "regisseur.dev/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {"name": name},
            "spec": spec,
        }
        plane.kubectl("create", "-n", "default", "-f", "-", stdin=json.dumps(manifest))

    replace_definition(plane, None)

    eventually(
        lambda: "gates" in read(plane, "default", "wine")["spec"]["model"],
        deadline_seconds=20,
        describe="the stored object gets the defaults of the new definition",
    )
    old = parse_spec(read(plane, "default", "wine"))
    assert old == parse_spec({"spec": FIRST_SPEC})
    plane.kubectl("annotate", "mdep/broken", "-n", "default", "regisseur.dev/retry=1")
    plane.kubectl("scale", "mdep/wine", "-n", "default", "--replicas=3")


def replace_definition(plane: ControlPlane, spec: Json | None) -> None:
    """Put the definition in place, with another schema of the spec if one is given."""
    crd = build_crd()
    if spec is not None:
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = spec
    plane.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(crd))
    eventually(
        lambda: "mdep" in plane.kubectl("api-resources", "--api-group=regisseur.dev"),
        deadline_seconds=20,
        describe=f"the API serves {CRD_NAME}",
    )
