"""What a serving pod is allowed to do, and what its server is told."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regisseur_contract.runtime import DRAIN_SECONDS, LONGEST_REQUEST_SECONDS
from regisseur_operator.api.quantity import parse_quantity
from regisseur_operator.api.status import Lineage
from regisseur_operator.resources.pods import build_pod_template
from regisseur_operator.resources.service import build_service
from support.pod_parts import (
    DIGEST,
    ENV,
    POD_TEMPLATE,
    SERVED,
    UNICODE_NAME,
    Json,
    build_everything,
    build_inputs,
    build_observed,
    containers,
    environment,
    to_pod_template,
)
from support.pod_security import find_violations

LINEAGE = Lineage(git_sha="abc123", data_version="d41d8", metrics={"test_accuracy": 0.95})
SELECTOR = {"regisseur.dev/modeldeployment": "wine"}


def build_template(lineage: Lineage | None = None, **inputs: Any) -> Json:
    return build_pod_template("wine", build_inputs(**inputs), lineage or Lineage())


def build_full_template() -> Json:
    return build_pod_template("wine", build_everything(), LINEAGE)


def test_the_download_refuses_what_the_kubelet_would_throw_the_pod_out_for() -> None:
    template = build_template()

    told = int(environment(containers(template)["fetch"])["REGISSEUR_MODEL_SIZE_LIMIT_BYTES"])
    (limit,) = (
        parse_quantity(volume["emptyDir"]["sizeLimit"])
        for volume in template["spec"]["volumes"]
        if volume["name"] == "model"
    )
    # 10,000 files of one byte fill a block of 4 KiB each, and an MLmodel of 8 MiB may come along.
    assert 10_000 * 4096 + (8 << 20) < limit - told < limit / 10


# ---- what it may do --------------------------------------------------------------------------


def test_it_passes_pod_security_restricted() -> None:
    template = build_template()
    pod = template["spec"]["securityContext"]

    assert find_violations(template) == []
    assert pod["runAsUser"] == 10001
    for container in containers(template).values():
        assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_the_rules_of_pod_security_can_be_broken() -> None:
    template = build_template()
    template["spec"] |= {"hostNetwork": True, "securityContext": {}}
    template["spec"]["containers"][0]["securityContext"]["privileged"] = True

    assert find_violations(template) == [
        "hostNetwork",
        "fetch.runAsNonRoot",
        "fetch.seccompProfile",
        "server.privileged",
        "server.runAsNonRoot",
        "server.seccompProfile",
    ]


def test_it_has_no_credentials_and_no_links_to_other_services() -> None:
    for template in (build_template(), build_full_template()):
        assert template["spec"]["automountServiceAccountToken"] is False
        assert template["spec"]["enableServiceLinks"] is False


def test_what_a_spec_leaves_out_leaves_no_trace() -> None:
    template = build_template()

    assert set(template["metadata"]["annotations"]) == {
        "eks.amazonaws.com/skip-containers",
        "regisseur.dev/model-name",
        "regisseur.dev/run-id",
        "regisseur.dev/source",
    }
    assert set(template["spec"]) == {
        "automountServiceAccountToken",
        "containers",
        "enableServiceLinks",
        "initContainers",
        "securityContext",
        "terminationGracePeriodSeconds",
        "topologySpreadConstraints",
        "volumes",
    }
    assert "envFrom" not in containers(template)["fetch"]


# ---- what its containers are told ------------------------------------------------------------


def test_only_the_fetch_container_knows_where_the_files_are() -> None:
    found = containers(build_template())

    assert environment(found["fetch"])["REGISSEUR_ARTIFACT_URI"] == "mlflow-artifacts:/1/models/m-3"
    assert environment(found["fetch"])["REGISSEUR_REGISTRY_URL"] == "http://mlflow:5000"
    assert "REGISSEUR_ARTIFACT_URI" not in environment(found["server"])
    assert found["server"]["volumeMounts"][0]["readOnly"] is True


def test_a_place_in_a_bucket_reaches_the_fetch_container_as_it_is() -> None:
    served = replace(SERVED, source="s3://models/1/$(KEY)/m-3")

    found = containers(build_template(served=served))

    assert environment(found["fetch"])["REGISSEUR_ARTIFACT_URI"] == "s3://models/1/$$(KEY)/m-3"
    assert "REGISSEUR_ARTIFACT_URI" not in environment(found["server"])


def test_the_fetch_container_knows_a_model_in_its_image_by_its_ids() -> None:
    fetch = environment(containers(build_template())["fetch"])
    nameless = replace(SERVED, run_id="", model_id="")

    assert (fetch["REGISSEUR_MODEL_ID"], fetch["REGISSEUR_RUN_ID"]) == ("m-3", "run-3")
    fetch = environment(containers(build_template(served=nameless))["fetch"])
    assert not {"REGISSEUR_MODEL_ID", "REGISSEUR_RUN_ID"} & fetch.keys()


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


def test_only_the_fetch_container_sees_the_credentials() -> None:
    found = containers(build_full_template())

    assert found["fetch"]["envFrom"] == [{"secretRef": {"name": "mlflow-credentials"}}]
    assert "envFrom" not in found["server"]


def test_the_identity_of_the_service_account_stays_with_the_fetch_container() -> None:
    named = build_template(service_account="wine-reader")

    assert named["spec"]["serviceAccountName"] == "wine-reader"
    for template in (named, build_template()):  # the namespace's default may have one as well
        annotations = template["metadata"]["annotations"]
        assert annotations["eks.amazonaws.com/skip-containers"] == "server"


def test_only_the_server_has_the_environment_of_the_spec_and_it_comes_last() -> None:
    found = containers(build_full_template())

    assert found["server"]["env"][-3:] == [
        {"name": "LOG_LEVEL", "value": "debug"},
        {"name": "EMPTY"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "tokens", "key": "wine"}}},
    ]
    assert not {entry["name"] for entry in ENV} & {e["name"] for e in found["fetch"]["env"]}


def test_no_variable_of_ours_can_be_overridden() -> None:
    own = (
        {"name": "REGISSEUR_MODEL_DIR", "value": "/etc"},
        {"name": "REGISSEUR_NEW", "value": "x"},
    )

    server = containers(build_template(env=own))["server"]

    assert server["env"] == containers(build_template())["server"]["env"]


def test_only_the_fetch_container_compares_the_digest() -> None:
    found = containers(build_template(digest=DIGEST))

    assert environment(found["fetch"])["REGISSEUR_EXPECTED_DIGEST"] == DIGEST
    assert "REGISSEUR_EXPECTED_DIGEST" not in environment(found["server"])


def test_the_server_has_a_port_for_clients_and_one_for_who_runs_it() -> None:
    server = containers(build_template())["server"]

    assert {port["name"]: port["containerPort"] for port in server["ports"]} == {
        "http": 8080,
        "admin": 8081,
    }
    assert server["livenessProbe"]["httpGet"]["port"] == "http"
    (exposed,) = build_service(build_observed())["spec"]["ports"]
    assert exposed["targetPort"] == "http"


def test_readiness_is_asked_every_second() -> None:
    probe = containers(build_template())["server"]["readinessProbe"]

    assert probe["httpGet"] == {"path": "/readyz", "port": "http"}
    assert (probe["periodSeconds"], probe["timeoutSeconds"], probe["failureThreshold"]) == (1, 1, 3)


def test_only_the_resources_that_were_asked_for_are_set() -> None:
    assert containers(build_template())["server"]["resources"] == {}
    limited = build_template(limits={"memory": "1Gi"})
    assert containers(limited)["server"]["resources"] == {"limits": {"memory": "1Gi"}}


def test_its_end_leaves_time_for_the_drain_and_the_longest_request() -> None:
    spec = build_template()["spec"]

    assert spec["terminationGracePeriodSeconds"] > DRAIN_SECONDS + LONGEST_REQUEST_SECONDS
    assert "lifecycle" not in spec["containers"][0]


# ---- what it tells of itself -----------------------------------------------------------------


def test_a_model_s_name_never_becomes_a_label() -> None:
    metadata = build_template()["metadata"]

    assert UNICODE_NAME not in metadata["labels"].values()
    assert metadata["labels"]["regisseur.dev/model-version"] == "3"
    assert metadata["annotations"]["regisseur.dev/model-name"] == UNICODE_NAME


def test_it_tells_where_its_version_comes_from() -> None:
    annotations = build_full_template()["metadata"]["annotations"]

    assert annotations["regisseur.dev/run-id"] == "run-3"
    assert annotations["regisseur.dev/git-sha"] == "abc123"
    assert annotations["regisseur.dev/data-version"] == "d41d8"
    assert annotations["regisseur.dev/digest"] == DIGEST
    assert annotations["regisseur.dev/restart"] == "2"


@pytest.mark.parametrize("change", [{"restart": "2"}, {"digest": DIGEST}, {"env": ENV}])
def test_what_replaces_pods_is_seen_in_their_labels(change: dict[str, Any]) -> None:
    before, after = build_template(), build_template(**change)

    label = "regisseur.dev/pod-inputs"
    assert before["metadata"]["labels"][label] != after["metadata"]["labels"][label]


# ---- the allow-list --------------------------------------------------------------------------


def test_everything_that_is_allowed_reaches_the_pod() -> None:
    template = build_full_template()
    spec, metadata = template["spec"], template["metadata"]

    assert metadata["labels"]["team"] == "ml"
    assert metadata["annotations"]["prometheus.io/scrape"] == "true"
    for field in ("nodeSelector", "tolerations", "affinity", "priorityClassName"):
        assert spec[field] == POD_TEMPLATE[field]
    assert spec["imagePullSecrets"] == [{"name": "registry"}, {"name": "mirror"}]
    assert find_violations(template) == []


def test_a_spread_of_people_s_own_replaces_the_default_one() -> None:
    own = {"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}

    default = build_template()["spec"]["topologySpreadConstraints"]
    spread = build_full_template()["spec"]["topologySpreadConstraints"]

    assert [entry["topologyKey"] for entry in default] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]
    assert spread == [{**own, "labelSelector": {"matchLabels": SELECTOR}}]


def test_a_spread_may_count_other_pods() -> None:
    others = {"matchLabels": {"team": "ml"}, "matchExpressions": []}
    own = {"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "ScheduleAnyway"}
    given_template = {"topologySpreadConstraints": [{**own, "labelSelector": others}]}

    template = build_template(pod_template=to_pod_template(given_template))

    assert template["spec"]["topologySpreadConstraints"][0]["labelSelector"] == others


def test_an_empty_text_of_a_toleration_is_left_out_as_the_api_server_does() -> None:
    tolerations = [{"key": "gpu", "operator": "Equal", "value": "", "effect": "NoSchedule"}]

    template = build_template(pod_template=to_pod_template({"tolerations": tolerations}))

    assert template["spec"]["tolerations"] == [
        {"key": "gpu", "operator": "Equal", "effect": "NoSchedule"}
    ]


OWN: list[Any] = [
    pytest.param({"labels": {"regisseur.dev/rehearsal": "x"}}, id="a label of ours"),
    pytest.param({"labels": {"regisseur.dev/modeldeployment": "x"}}, id="a label of a selector"),
    pytest.param({"labels": {"app.kubernetes.io/name": "x"}}, id="a label of the application"),
    pytest.param({"annotations": {"regisseur.dev/model-name": "x"}}, id="an annotation of ours"),
    pytest.param(
        {
            "annotations": {
                "container.apparmor.security.beta.kubernetes.io/server": "unconfined",
                "container.seccomp.security.alpha.kubernetes.io/server": "unconfined",
                "seccomp.security.alpha.kubernetes.io/pod": "unconfined",
            }
        },
        id="the security context in its old spelling",
    ),
]


@pytest.mark.parametrize("pod_template", OWN)
def test_what_is_ours_cannot_be_said_even_by_what_the_api_server_never_saw(
    pod_template: Json,
) -> None:
    """An object that was stored before a rule existed breaks the rule."""
    inputs = build_inputs(pod_template=pod_template)
    template = build_pod_template("wine", inputs, Lineage())
    template["metadata"]["labels"]["regisseur.dev/pod-inputs"] = build_inputs().fingerprint

    assert template == build_template()


keys = st.text("abcdefgxyz", min_size=1, max_size=8) | st.sampled_from(
    ["topology.kubernetes.io/zone", "sidecar.istio.io/inject", "pod-template-hash", "role"]
)
texts = st.dictionaries(keys, st.text("abc", max_size=8), max_size=3)
terms = st.fixed_dictionaries(
    {"topologyKey": keys, "labelSelector": st.fixed_dictionaries({"matchLabels": texts})}
)
pod_templates = st.fixed_dictionaries(
    {},
    optional={
        "labels": texts,
        "annotations": texts,
        "nodeSelector": texts,
        "tolerations": st.lists(
            st.just({"operator": "Exists"})
            | st.fixed_dictionaries({"key": keys, "value": st.text("abc", max_size=3)}),
            max_size=3,
        ),
        "affinity": st.fixed_dictionaries(
            {},
            optional={
                "podAntiAffinity": st.fixed_dictionaries(
                    {"requiredDuringSchedulingIgnoredDuringExecution": st.lists(terms, max_size=2)}
                )
            },
        ),
        "topologySpreadConstraints": st.lists(
            st.fixed_dictionaries(
                {
                    "maxSkew": st.integers(1, 3),
                    "topologyKey": keys,
                    "whenUnsatisfiable": st.sampled_from(["DoNotSchedule", "ScheduleAnyway"]),
                }
            ),
            max_size=2,
        ),
        "priorityClassName": st.sampled_from(["", "important"]),
    },
)


@given(pod_template=pod_templates)
def test_whatever_is_allowed_leaves_what_is_ours_alone(pod_template: Json) -> None:
    usual, inputs = build_template(), build_inputs(pod_template=to_pod_template(pod_template))

    template = build_pod_template("wine", inputs, Lineage())

    assert find_violations(template) == []
    for field in ("containers", "initContainers", "securityContext", "volumes"):
        assert template["spec"][field] == usual["spec"][field]
    assert template["spec"]["automountServiceAccountToken"] is False
    ours = {**usual["metadata"]["labels"], "regisseur.dev/pod-inputs": inputs.fingerprint}
    assert template["metadata"]["labels"].items() >= ours.items()
    assert template["metadata"]["annotations"].items() >= usual["metadata"]["annotations"].items()
    assert set(template["spec"]) - set(usual["spec"]) <= {
        "affinity",
        "nodeSelector",
        "priorityClassName",
        "tolerations",
    }
