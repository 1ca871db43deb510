"""Where a pod may run: what people say of it, and the default spread over nodes and zones.

Only what is named here goes from `spec.serving.podTemplate` into a pod. Everything else of a pod
is what makes it serve without loss and pass Pod Security, and is not people's to change.
"""

from typing import Final

from regisseur_operator.core.identity import Manifest
from regisseur_operator.core.roll import PodInputs
from regisseur_operator.resources.labels import build_selector

SPREAD: Final = "topologySpreadConstraints"
VERBATIM: Final = ("nodeSelector", "affinity", "priorityClassName")


def build_scheduling(name: str, inputs: PodInputs) -> Manifest:
    """Return the fields of a pod's spec that decide where it runs and who may read its image."""
    given = inputs.pod_template
    spread = given.get(SPREAD)
    fields: Manifest = {
        SPREAD: _complete(name, spread) if spread else _build_spread(name),
        **{field: given[field] for field in VERBATIM if given.get(field)},
    }
    if given.get("tolerations"):
        fields["tolerations"] = [_drop_empty(entry) for entry in given["tolerations"]]
    if inputs.pull_secrets:
        fields["imagePullSecrets"] = [{"name": secret} for secret in inputs.pull_secrets]
    if inputs.service_account:
        fields["serviceAccountName"] = inputs.service_account
        # Its old name: what the API server fills in there by itself would outlive the new one.
        fields["serviceAccount"] = inputs.service_account
    return fields


def _build_spread(name: str) -> list[Manifest]:
    constraints = [
        {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway"}
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    ]
    return _complete(name, constraints)


def _complete(name: str, constraints: list[Manifest]) -> list[Manifest]:
    """Let constraints that say nothing of pods be about these: else they would count none."""
    selector = {"matchLabels": build_selector(name)}
    return [{"labelSelector": selector, **_drop_empty(entry)} for entry in constraints]


def _drop_empty(entry: Manifest) -> Manifest:
    """Leave out what the API server leaves out, which would look like an edit ever after."""
    return {key: value for key, value in entry.items() if value not in ("", [])}
