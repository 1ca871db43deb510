"""What a serving pod is allowed to do, and what its server is told."""

from typing import Any

from regisseur_contract.runtime import DRAIN_SECONDS, LONGEST_REQUEST_SECONDS
from regisseur_operator.core.roll import PodInputs, Served
from regisseur_operator.resources.pods import build_pod_template

UNICODE_NAME = "Wein Qualität 🍷 " + "x" * 230


def build_template(**inputs: Any) -> dict[str, Any]:
    served = Served("default", UNICODE_NAME, 3, "run-3", "m-3", "mlflow-artifacts:/1/models/m-3")
    usual: dict[str, Any] = {
        "served": served,
        "image": "serving:v1",
        "is_default_image": True,
        "registry_url": "http://mlflow:5000",
    }
    return build_pod_template("wine", PodInputs(**{**usual, **inputs}))


def containers(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    spec = template["spec"]
    return {entry["name"]: entry for entry in (*spec["initContainers"], *spec["containers"])}


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in container["env"]}


def test_it_passes_pod_security_restricted() -> None:
    template = build_template()
    pod = template["spec"]["securityContext"]

    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] == 10001
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(template).values():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_it_has_no_credentials_and_no_links_to_other_services() -> None:
    spec = build_template()["spec"]

    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False


def test_only_the_fetch_container_knows_where_the_files_are() -> None:
    found = containers(build_template())

    assert environment(found["fetch"])["REGISSEUR_ARTIFACT_URI"] == "mlflow-artifacts:/1/models/m-3"
    assert environment(found["fetch"])["REGISSEUR_REGISTRY_URL"] == "http://mlflow:5000"
    assert "REGISSEUR_ARTIFACT_URI" not in environment(found["server"])
    assert found["server"]["volumeMounts"][0]["readOnly"] is True


def test_the_server_knows_what_it_serves() -> None:
    server = containers(build_template())["server"]

    assert server["args"] == ["serve"]
    assert environment(server) == {
        "REGISSEUR_MODEL_NAME": UNICODE_NAME,
        "REGISSEUR_MODEL_VERSION": "3",
        "REGISSEUR_RUN_ID": "run-3",
        "REGISSEUR_MODEL_DIR": "/model/current",
        "REGISSEUR_DRAIN_SECONDS": str(DRAIN_SECONDS),
    }


def test_a_model_s_name_never_becomes_a_label() -> None:
    metadata = build_template()["metadata"]

    assert UNICODE_NAME not in metadata["labels"].values()
    assert metadata["labels"]["regisseur.dev/model-version"] == "3"
    assert metadata["annotations"]["regisseur.dev/model-name"] == UNICODE_NAME


def test_its_end_leaves_time_for_the_drain_and_the_longest_request() -> None:
    spec = build_template()["spec"]

    assert spec["terminationGracePeriodSeconds"] > DRAIN_SECONDS + LONGEST_REQUEST_SECONDS
    assert "lifecycle" not in spec["containers"][0]


def test_readiness_is_asked_every_second() -> None:
    probe = containers(build_template())["server"]["readinessProbe"]

    assert probe["httpGet"] == {"path": "/readyz", "port": "http"}
    assert (probe["periodSeconds"], probe["timeoutSeconds"], probe["failureThreshold"]) == (1, 1, 3)


def test_only_the_resources_that_were_asked_for_are_set() -> None:
    assert containers(build_template())["server"]["resources"] == {}
    limited = build_template(limits={"memory": "1Gi"})
    assert containers(limited)["server"]["resources"] == {"limits": {"memory": "1Gi"}}
