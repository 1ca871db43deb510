"""What pods say about themselves, and what is made of a pod that says little or nonsense."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regisseur_operator.core.pods import observe_pod, observe_rehearsal_pod

MADE = "2026-01-01T12:00:00Z"
FETCHED = "2026-01-01T12:00:30Z"
VERDICT = '{"word":"Passed","digest":"sha256:' + "0" * 64 + '"}'
READY = "2026-01-01T12:01:00Z"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def pod(status: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    usual = {"name": "wine-1", "uid": "uid-1", "creationTimestamp": MADE}
    manifest: dict[str, Any] = {"metadata": {**usual, **metadata}}
    return manifest if status is None else {**manifest, "status": status}


def container(name: str, state: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "restartCount": 0, "state": state, **more}


def ended(code: int, message: str = "", **more: Any) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "message": message, "finishedAt": FETCHED, **more}}


# ---- serving pods ----------------------------------------------------------------------------


def test_a_pod_that_was_just_made() -> None:
    facts = observe_pod(pod())

    assert (facts.uid, facts.name) == ("uid-1", "wine-1")
    assert not facts.is_ready
    assert facts.is_active
    assert facts.fetch is None
    assert facts.fetched_at is None


def test_a_pod_that_serves() -> None:
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": READY}
    facts = observe_pod(
        pod(
            {
                "phase": "Running",
                "conditions": [ready],
                "initContainerStatuses": [container("fetch", ended(0))],
                "containerStatuses": [container("server", {"running": {"startedAt": FETCHED}})],
            },
            labels={"regisseur.dev/model-version": "3", "regisseur.dev/pod-inputs": "abc"},
            ownerReferences=[
                {"kind": "Something", "uid": "other"},
                {"kind": "ReplicaSet", "uid": "set-1", "controller": True},
            ],
        )
    )

    assert (facts.version, facts.inputs) == ("3", "abc")
    assert facts.controller_uid == "set-1"
    assert facts.fetched_at == at(FETCHED)
    assert facts.ready_changed_at == at(READY)
    assert facts.server is not None
    assert facts.server.is_running


def test_a_pod_that_ceased_to_be_ready() -> None:
    unready = {"type": "Ready", "status": "False", "lastTransitionTime": READY}

    facts = observe_pod(pod({"conditions": [unready]}))

    assert not facts.is_ready
    assert facts.ready_changed_at == at(READY)


FETCHES: list[Any] = [
    pytest.param(container("fetch", ended(0)), at(FETCHED), id="it is done"),
    pytest.param(container("fetch", ended(1)), None, id="it has failed"),
    pytest.param(container("fetch", {"running": {}}), None, id="it goes on"),
    pytest.param(
        container("fetch", {"waiting": {}}, lastState=ended(1)), None, id="it is tried again"
    ),
    pytest.param(
        container("fetch", {"running": {}}, lastState=ended(0)),
        None,
        id="the node was started again and so is the download",
    ),
    pytest.param(container("convert", ended(0)), at(FETCHED), id="it is converted"),
    pytest.param(container("convert", {"running": {}}), None, id="it is being converted"),
    pytest.param(container("other", ended(0)), None, id="it is somebody else's container"),
    pytest.param(container("fetch", ended(0, finishedAt="soon")), None, id="the time is none"),
    pytest.param(container("fetch", ended(0, finishedAt=None)), None, id="the time is missing"),
]


@pytest.mark.parametrize(("status", "fetched_at"), FETCHES)
def test_when_the_model_was_there(status: dict[str, Any], fetched_at: datetime | None) -> None:
    assert observe_pod(pod({"initContainerStatuses": [status]})).fetched_at == fetched_at


def test_a_container_that_is_started_again_keeps_its_last_words() -> None:
    crashed = container(
        "server",
        {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
        restartCount=2,
        lastState=ended(137, " killed\n", reason="OOMKilled"),
    )

    server = observe_pod(pod({"containerStatuses": [crashed]})).server

    assert server is not None
    assert (server.restarts, server.waiting_reason) == (2, "CrashLoopBackOff")
    assert (server.exit_code, server.exit_reason) == (137, "OOMKilled")
    assert server.exit_message == "killed"


SCHEDULING: list[Any] = [
    pytest.param({"status": "False", "reason": "Unschedulable", "message": "0/1"}, "0/1", id="no"),
    pytest.param(
        {"status": "False", "reason": "Unschedulable"}, "no node can take it", id="no, wordless"
    ),
    pytest.param({"status": "False", "reason": "SchedulingGated"}, "", id="it is held on purpose"),
    pytest.param({"status": "True"}, "", id="it has a node"),
]


@pytest.mark.parametrize(("condition", "said"), SCHEDULING)
def test_whether_a_node_takes_it(condition: dict[str, Any], said: str) -> None:
    manifest = pod({"conditions": [{"type": "PodScheduled", **condition}]})

    assert observe_pod(manifest).unschedulable == said
    assert observe_rehearsal_pod(manifest).unschedulable == said


# ---- the pod of a rehearsal ------------------------------------------------------------------


def test_a_rehearsal_that_has_ended() -> None:
    facts = observe_rehearsal_pod(
        pod(
            {
                "phase": "Succeeded",
                "initContainerStatuses": [container("fetch", ended(0))],
                "containerStatuses": [container("rehearse", ended(0, VERDICT))],
            },
            name="wine-rehearsal",
            labels={"regisseur.dev/model-version": "3"},
            annotations={"regisseur.dev/trial": "abc-def"},
        )
    )

    assert (facts.name, facts.uid, facts.key) == ("wine-rehearsal", "uid-1", "abc-def")
    assert facts.version == "3"
    assert facts.is_finished
    assert facts.created_at == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert facts.verdict is not None
    assert facts.verdict.has_passed
    assert facts.fetch is not None
    assert facts.fetch.exit_code == 0


def test_a_rehearsal_that_the_cluster_ended() -> None:
    status = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory"}

    facts = observe_rehearsal_pod(pod(status, deletionTimestamp=MADE))

    assert (facts.phase, facts.reason) == ("Failed", "Evicted")
    assert facts.message == "The node was low on memory"
    assert facts.is_terminating


ENDS: list[Any] = [
    pytest.param({"phase": "Running"}, {"running": {}}, False, id="it goes on"),
    pytest.param({"phase": "Succeeded"}, ended(0, VERDICT), True, id="all of it has ended"),
    pytest.param(
        {"phase": "Running"}, ended(0, VERDICT), True, id="a sidecar goes on after the verdict"
    ),
    pytest.param(
        {"phase": "Running"},
        ended(137, ""),
        False,
        id="it was killed, and the pod has yet to say by whom",
    ),
    pytest.param({"phase": "Failed"}, ended(137, ""), True, id="it was killed"),
]


@pytest.mark.parametrize(("status", "state", "is_finished"), ENDS)
def test_when_there_is_no_more_to_learn(
    status: dict[str, Any], state: dict[str, Any], *, is_finished: bool
) -> None:
    rehearse = container("rehearse", state)

    facts = observe_rehearsal_pod(pod({**status, "containerStatuses": [rehearse]}))

    assert facts.is_finished is is_finished


def test_a_rehearsal_whose_key_was_taken_away_is_of_no_trial() -> None:
    assert observe_rehearsal_pod(pod()).key == ""


# ---- pods that say little --------------------------------------------------------------------

nothing: st.SearchStrategy[dict[str, Any] | None] = st.none() | st.just({})
container_statuses = st.none() | st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["fetch", "convert", "server", "rehearse", "sidecar"])},
        optional={
            "restartCount": st.none() | st.integers(0, 9),
            "state": nothing
            | st.dictionaries(st.sampled_from(["running", "waiting", "terminated"]), nothing),
            "lastState": nothing | st.fixed_dictionaries({"terminated": nothing}),
        },
    ),
    max_size=3,
)
statuses = st.fixed_dictionaries(
    {},
    optional={
        "phase": st.none() | st.sampled_from(["Pending", "Running", "Failed"]),
        "reason": st.none(),
        "conditions": st.none()
        | st.lists(st.fixed_dictionaries({}, optional={"type": st.just("Ready")}), max_size=2),
        "initContainerStatuses": container_statuses,
        "containerStatuses": container_statuses,
    },
)


@given(status=st.none() | statuses, metadata=st.sampled_from(["labels", "annotations", "x"]))
def test_whatever_is_missing_is_missing(status: dict[str, Any] | None, metadata: str) -> None:
    manifest = {**pod(**{metadata: None}), "status": status}

    assert not observe_pod(manifest).is_ready
    assert observe_rehearsal_pod(manifest).key == ""
