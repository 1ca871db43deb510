"""kubectl explain tells of every field, in the words of the models."""

import re

import pytest

from regisseur_devcluster.controlplane import ControlPlane

TEXTS = {
    "spec.model": [
        "Which model to serve: a registered model, and the stage, alias or version",
        "name <string> -required- Name of the registered model",
        "stage <string> Follow the version in this stage: Production, Staging or Archived, in"
        " upper or lower case.",
        "alias <string> Follow the version that has this alias",
        "version <",
        "registry <string>",
    ],
    "spec.model.gates": [
        "What must hold before another version than the served one goes further",
        "metrics <[]Object> Metrics of the run that made the version.",
        "requiredTags <map[string]string> Tags that the version must have",
        "signature <string> enum: Compatible, Any",
        "minAge <string> How long the version must have been in the registry",
    ],
    "spec.model.gates.metrics": [
        "name <string> -required-",
        "goal <string> enum: Maximize, Minimize",
        "threshold <number> The worst value that is good enough",
        "maxRegression <number> How much worse than the served version's value",
    ],
    "spec.rehearsal": [
        "enabled <boolean> Whether a version is rehearsed",
        "timeout <string> How long the rehearsal may take",
        "requirements <string> enum: Strict, Minor, Ignore",
    ],
    "spec.serving.podTemplate": [
        "labels <map[string]string> Further labels of the pods.",
        "annotations <map[string]string> Further annotations of the pods",
        "nodeSelector <map[string]string>",
        "tolerations <[]Object> Taints of nodes that the pods put up with.",
        "affinity <Object> Which nodes and which neighbours",
        "topologySpreadConstraints <[]Object> How the pods are spread",
        "priorityClassName <string> PriorityClass of the pods",
    ],
    "spec.autoscaling": [
        "Needs serving.resources.requests.cpu and a metrics server",
        "maxReplicas <integer> -required- The most pods",
        "minReplicas <integer> The fewest pods",
        "targetCPUUtilizationPercentage <integer> Use of CPU to aim at",
    ],
    "spec.rollbackTo": ["rollbackTo <integer>", "Number of a revision of status.history"],
    "spec.strategy": ["exactly one of rollingUpdate and recreate", "recreate <Object>"],
    "status.rejected": ["Versions that failed by their own fault, newest first."],
    "status.rehearsal.facts": ["digest <string> Digest of the model's files"],
}


@pytest.mark.parametrize("path", TEXTS)
def test_kubectl_explains(control_plane: ControlPlane, path: str) -> None:
    said = control_plane.kubectl("explain", f"modeldeployment.{path}")

    words = re.sub(r"\s+", " ", said)
    assert not [text for text in TEXTS[path] if text not in words]
