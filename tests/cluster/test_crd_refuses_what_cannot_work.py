"""A real API server refuses a bad ModelDeployment, with words that say what to do."""

import json
import re
from typing import Any

import pytest

from regisseur_devcluster.controlplane import ControlPlane
from regisseur_devcluster.errors import CommandError
from regisseur_operator.api import rules
from regisseur_operator.api.v1alpha1 import parse_spec
from regisseur_operator.errors import TerminalError
from support.refused_specs import find_refused

STAGE = {"name": "wine", "stage": "Production"}
ONE_REFERENCE = "spec.model: Invalid value: set exactly one of stage, alias and version"


def manifest(name: str = "wine", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "regisseur.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": name},
        "spec": {"model": STAGE, **spec},
    }


def resources(**amounts: dict[str, Any]) -> dict[str, Any]:
    return {"serving": {"resources": amounts}}


def rolling(**update: Any) -> dict[str, Any]:
    return {"strategy": {"rollingUpdate": update}}


def refusal(control_plane: ControlPlane, resource: dict[str, Any]) -> str:
    """Return what the API server says against a resource; nothing is stored."""
    with pytest.raises(CommandError) as caught:
        control_plane.kubectl(
            *("create", "--dry-run=server", "-f", "-"), stdin=json.dumps(resource)
        )
    return caught.value.output


CASES = [
    pytest.param(manifest(model={"name": "wine"}), ONE_REFERENCE, id="no reference"),
    pytest.param(manifest(model={**STAGE, "version": 3}), ONE_REFERENCE, id="stage and version"),
    pytest.param(
        manifest(model={**STAGE, "alias": "champion"}), ONE_REFERENCE, id="stage and alias"
    ),
    pytest.param(
        manifest(model={"name": "ml/wine", "stage": "Production"}),
        f'spec.model.name: Invalid value: "ml/wine": {rules.MODEL_NAME_RULE[1]}',
        id="a model name with a slash",
    ),
    pytest.param(
        manifest(model={"name": "", "stage": "Production"}), "spec.model.name", id="no model name"
    ),
    pytest.param(
        manifest(model={"name": "x" * 256, "stage": "Production"}),
        "spec.model.name: Too long",
        id="a model name that no registry can hold",
    ),
    pytest.param(
        manifest(model={"name": "wine", "alias": "the best"}),
        f'spec.model.alias: Invalid value: "the best": {rules.ALIAS_RULE[1]}',
        id="an alias with a space",
    ),
    *(
        pytest.param(
            manifest(model={"name": "wine", "alias": alias}),
            f'spec.model.alias: Invalid value: "{alias}": {rules.RESERVED_ALIAS_RULE[1]}',
            id=f"the reserved alias {alias}",
        )
        for alias in ("latest", "LATEST", "v3")
    ),
    *(
        pytest.param(
            manifest(model={"name": "wine", "version": version}),
            f"spec.model.version: Invalid value: {json.dumps(version)}: {rules.VERSION_MESSAGE}",
            id=f"version {version!r}",
        )
        for version in (0, -1, "v3", "03", "")
    ),
    pytest.param(
        manifest("9wine"),
        f"metadata.name: Invalid value: {rules.NAME_RULE[1]}",
        id="a name that no Service can have",
    ),
    pytest.param(manifest("wine.v1"), rules.NAME_RULE[1], id="a name with a dot"),
    pytest.param(manifest("a" * 51), rules.NAME_RULE[1], id="a name that is too long"),
    pytest.param(manifest(replicas=-1), "spec.replicas: Invalid value: -1", id="minus one pod"),
    pytest.param(
        manifest(**rolling(maxSurge=0)),
        f"spec.strategy.rollingUpdate: Invalid value: {rules.STUCK_STRATEGY_RULE[1]}",
        id="neither a pod more nor a pod fewer",
    ),
    pytest.param(
        manifest(**rolling(maxSurge="0%", maxUnavailable="0%")),
        rules.STUCK_STRATEGY_RULE[1],
        id="neither nor, in per cent",
    ),
    *(
        pytest.param(
            manifest(**rolling(maxSurge=1, maxUnavailable=value)),
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value:"
            f" {json.dumps(value)}: {rules.INT_OR_PERCENT_MESSAGE}",
            id=f"maxUnavailable {value!r}",
        )
        for value in (-1, "1", "25 %", "05%")
    ),
    pytest.param(
        manifest(minReadySeconds=300),
        f"spec: Invalid value: {rules.DEADLINE_RULE[1]}",
        id="a deadline before a pod can be available",
    ),
    *(
        pytest.param(
            manifest(**resources(limits={"memory": amount})),
            "spec.serving.resources.limits[memory]: Invalid value:"
            f" {json.dumps(amount)}: {rules.QUANTITY_MESSAGE}",
            id=f"{amount!r} of memory",
        )
        for amount in ("1GB", "-1", -1)
    ),
    pytest.param(
        manifest(**resources(limits={"cpu": 1}, requests={"cpu": "1500m"})),
        f"spec.serving.resources: Invalid value: {rules.REQUESTS_RULE[1]}",
        id="a request above its limit",
    ),
    pytest.param(
        manifest(serving={"image": "server :1"}), rules.IMAGE_RULE[1], id="an image with a space"
    ),
    pytest.param(
        manifest(service={"type": "ExternalName"}),
        'spec.service.type: Unsupported value: "ExternalName"',
        id="a kind of Service that leads elsewhere",
    ),
    pytest.param(manifest(service={"port": 0}), "spec.service.port", id="port 0"),
    pytest.param(
        manifest(canary={}), 'unknown field "spec.canary"', id="a field that does not work yet"
    ),
    *(
        pytest.param(
            {**manifest(), "spec": case.spec},
            re.compile(f"{re.escape(case.place)}: Invalid value: .*{re.escape(case.message)}"),
            id=case.id,
        )
        for case in find_refused()
    ),
    pytest.param({**manifest(), "spec": {}}, "spec.model: Required value", id="no model"),
]


@pytest.mark.parametrize(("resource", "message"), CASES)
def test_it_is_refused_and_the_message_says_why(
    control_plane: ControlPlane, resource: dict[str, Any], message: str | re.Pattern[str]
) -> None:
    said = refusal(control_plane, resource)

    assert message.search(said) if isinstance(message, re.Pattern) else message in said


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param(case.values[0], id=case.id)
        for case in CASES
        if rules.NAME_RULE[1] not in str(case.values[1])
    ],
)
def test_the_operator_refuses_the_same_spec(resource: dict[str, Any]) -> None:
    with pytest.raises(TerminalError):
        parse_spec(resource)
