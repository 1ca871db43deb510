"""What the demo makes of pods and requests while a rollout happens."""

import io
from typing import Any

import pytest

from regisseur_devcluster.demo.kubectl import read_documents
from regisseur_devcluster.demo.outcomes import Sighting, Summary
from regisseur_devcluster.demo.picture import Frame, Picture, draw_line, draw_table
from regisseur_devcluster.demo.pods import Count, Pod, count_pods, parse_pod
from regisseur_devcluster.demo.rollout import is_over

LOAD = Summary(
    requests={"short": 30, "keepalive": 12},
    failed=1,
    versions={"1": Sighting(0, 1, 40), "2": Sighting(1, 2, 2)},
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def pod(version: str, *, is_ready: bool = True, is_ending: bool = False) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "name": "wine-1",
        "labels": {"regisseur.dev/model-version": version},
    }
    if is_ending:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    ready = {"type": "Ready", "status": str(is_ready)}
    return {"metadata": metadata, "status": {"conditions": [ready]}}


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        pytest.param(pod("1"), Pod("wine-1", "1", True, False), id="it takes traffic"),
        pytest.param(pod("2", is_ready=False), Pod("wine-1", "2", False, False), id="it starts"),
        pytest.param(pod("1", is_ending=True), Pod("wine-1", "1", True, True), id="it drains"),
        pytest.param(
            {"metadata": {"name": "new"}}, Pod("new", "", False, False), id="nobody has seen it yet"
        ),
    ],
)
def test_a_pod_is_read_from_its_manifest(manifest: dict[str, Any], expected: Pod) -> None:
    assert parse_pod(manifest) == expected


def test_pods_are_counted_by_version_in_the_order_of_numbers() -> None:
    manifests = [pod("10"), pod("9"), pod("9", is_ending=True), pod("10", is_ready=False)]
    pods = {str(number): parse_pod(manifest) for number, manifest in enumerate(manifests)}

    counted = count_pods(pods)

    assert list(counted) == ["9", "10"]
    assert counted == {"9": Count(ready=1, ending=1), "10": Count(ready=1, starting=1)}


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        pytest.param({"2": Count(ready=2)}, True, id="only the new version is left"),
        pytest.param({"1": Count(ending=1), "2": Count(ready=2)}, False, id="an old pod drains"),
        pytest.param({"2": Count(ready=1, starting=1)}, False, id="a new pod starts"),
        pytest.param({"1": Count(ready=2)}, False, id="nothing happened yet"),
        pytest.param({}, False, id="no pod at all"),
    ],
)
def test_a_rollout_is_over_when_only_ready_new_pods_are_left(
    pods: dict[str, Count], expected: bool
) -> None:
    assert is_over(pods, "2", 2) is expected


def test_the_table_shows_pods_and_requests_by_version() -> None:
    pods = {"1": Count(ready=1, ending=1), "2": Count(starting=1)}

    table = "\n".join(draw_table(Frame(7.25, pods, LOAD)))

    assert table == (
        "            rehearsing  ready  starting  ending  requests\n"
        "  v1                 0      1         0       1        40\n"
        "  v2                 0      0         1       0         2\n"
        "     7.2s  42 requests, 1 failed"
    )


def test_a_version_is_shown_while_it_is_rehearsed() -> None:
    frame = Frame(1.0, {"9": Count(ready=2)}, Summary(), frozenset({"10"}))

    assert draw_table(frame)[1:3] == [
        "  v9                 0      2         0       0         0",
        "  v10                1      0         0       0         0",
    ]
    assert draw_line(frame) == "     1.0s  v9: 2 ready | v10: rehearsing | 0 requests, 0 failed"


def test_a_terminal_is_drawn_over() -> None:
    stream = Terminal()
    picture = Picture(stream)
    for seconds in (0.0, 1.0):
        picture.show(Frame(seconds, {"1": Count(ready=2)}, LOAD))

    assert stream.getvalue().count("\x1b[4F") == 1


def test_elsewhere_a_line_appears_only_when_pods_change() -> None:
    stream = io.StringIO()
    picture = Picture(stream)
    rehearsing = frozenset({"2"})
    picture.show(Frame(0.0, {"1": Count(ready=2)}, LOAD))
    picture.show(Frame(0.5, {"1": Count(ready=2)}, LOAD, rehearsing))
    for seconds, ready in ((1.0, 2), (2.0, 1)):
        picture.show(Frame(seconds, {"1": Count(ready=ready)}, LOAD, rehearsing))

    assert stream.getvalue() == (
        "     0.0s  v1: 2 ready | 42 requests, 1 failed\n"
        "     0.5s  v1: 2 ready | v2: rehearsing | 42 requests, 1 failed\n"
        "     2.0s  v1: 1 ready | v2: rehearsing | 42 requests, 1 failed\n"
    )


def test_documents_are_read_one_after_the_other() -> None:
    printed = '{\n    "a": {\n        "b": 1\n    }\n}\n{"c":2}\n'

    assert list(read_documents(iter(printed.splitlines(keepends=True)))) == [
        {"a": {"b": 1}},
        {"c": 2},
    ]
