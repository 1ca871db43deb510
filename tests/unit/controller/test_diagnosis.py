"""Why pods do not become ready, as people read it."""

from typing import Any

import pytest

from regisseur_operator.core.diagnosis import diagnose
from regisseur_operator.core.pods import observe_pod

CRASH = {"exitCode": 1, "message": "ValueError: no MLmodel in /model/current\n"}


def build_pod(name: str = "wine-1", **status: Any) -> dict[str, Any]:
    return {"metadata": {"uid": name, "name": name, "labels": {}}, "status": status}


def container(name: str, **facts: Any) -> dict[str, Any]:
    return {"name": name, "restartCount": 1, **facts}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}}


FAULTS: list[Any] = [
    pytest.param(
        {"containerStatuses": [container("server", lastState={"terminated": CRASH})]},
        "ServerCrashed",
        "pod wine-1 ended by itself: ValueError: no MLmodel in /model/current",
        id="a server that crashed and runs again tells its last words",
    ),
    pytest.param(
        {"containerStatuses": [container("server", state={"terminated": {"exitCode": 3}})]},
        "ServerCrashed",
        "exit code 3",
        id="a server without last words tells its exit code",
    ),
    pytest.param(
        {
            "containerStatuses": [
                container(
                    "server",
                    **waiting("CrashLoopBackOff"),
                    lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
                )
            ]
        },
        "OutOfMemory",
        "raise spec.serving.resources.limits.memory",
        id="a server that was out of memory says what to raise",
    ),
    pytest.param(
        {"initContainerStatuses": [container("fetch", state={"terminated": CRASH})]},
        "FetchFailed",
        "cannot download the model's files: ValueError",
        id="a fetch that failed tells its last words",
    ),
    pytest.param(
        {
            "initContainerStatuses": [
                container("fetch", state={"terminated": {"exitCode": 0}}),
                container("convert", state={"terminated": {"exitCode": 64}}),
            ]
        },
        "ServerCrashed",
        "for engine ONNX: exit code 64; set spec.serving.engine: Native, or another image",
        id="an image that cannot convert says what to set",
    ),
    pytest.param(
        {
            "initContainerStatuses": [
                container("fetch", **waiting("ImagePullBackOff", 'Back-off pulling image "x"'))
            ]
        },
        "ImagePullFailed",
        'Back-off pulling image "x"',
        id="an image that cannot be pulled is the image's fault, not the fetch's",
    ),
    pytest.param(
        {"initContainerStatuses": [container("fetch", **waiting("ErrImagePull", "not found"))]},
        "ImagePullFailed",
        "not found",
        id="the first attempt to pull has the same reason as the later ones",
    ),
    pytest.param(
        {
            "containerStatuses": [
                container("server", **waiting("CreateContainerConfigError", "no secret"))
            ]
        },
        "ContainerRefused",
        "no secret",
        id="a container that cannot be made",
    ),
    pytest.param(
        {
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "0/1 nodes are available: 1 Insufficient memory.",
                }
            ]
        },
        "Unschedulable",
        "1 Insufficient memory",
        id="a pod that no node takes tells the scheduler's words",
    ),
]

FINE: list[Any] = [
    pytest.param({"phase": "Pending"}, id="a pod that was just made"),
    pytest.param(
        {"initContainerStatuses": [container("fetch", **waiting("PodInitializing"))]},
        id="a pod that is being set up",
    ),
    pytest.param(
        {"initContainerStatuses": [container("fetch", state={"terminated": {"exitCode": 0}})]},
        id="a fetch that is done",
    ),
    pytest.param(
        {
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [container("server", lastState={"terminated": CRASH})],
        },
        id="a server that crashed once and is ready again",
    ),
    pytest.param(
        {
            "phase": "Failed",
            "containerStatuses": [container("server", state={"terminated": CRASH})],
        },
        id="a pod that was evicted counts no more",
    ),
]


@pytest.mark.parametrize(("status", "reason", "words"), FAULTS)
def test_fault(status: dict[str, Any], reason: str, words: str) -> None:
    diagnosis = diagnose([observe_pod(build_pod(**status))])

    assert diagnosis is not None
    assert diagnosis.reason == reason
    assert words in diagnosis.message


@pytest.mark.parametrize("status", FINE)
def test_no_fault(status: dict[str, Any]) -> None:
    assert diagnose([observe_pod(build_pod(**status))]) is None


def test_a_terminating_pod_counts_no_more() -> None:
    pod = build_pod(containerStatuses=[container("server", state={"terminated": CRASH})])
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert diagnose([observe_pod(pod)]) is None


def test_the_version_s_own_fault_is_told_before_its_surroundings() -> None:
    pending = build_pod("wine-1", **FAULTS[-1].values[0])
    crashed = build_pod("wine-2", **FAULTS[0].values[0])

    diagnosis = diagnose([observe_pod(pending), observe_pod(crashed)])

    assert diagnosis is not None
    assert diagnosis.reason == "ServerCrashed"
