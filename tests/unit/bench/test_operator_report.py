"""What the benchmark of the operator counts, judges and writes."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from regisseur_bench.operator.audit import AuditLog, list_writes, parse_lines
from regisseur_bench.operator.filling import Filled, read_filled, strip
from regisseur_bench.operator.goals import Judged, Results, judge
from regisseur_bench.operator.growing import Grown
from regisseur_bench.operator.killing import TakenOver
from regisseur_bench.operator.moving import Burst, Moved
from regisseur_bench.operator.picture import draw
from regisseur_bench.operator.player import play_status
from regisseur_bench.operator.process import parse_metrics
from regisseur_bench.operator.report import write_report
from regisseur_bench.operator.restarting import Restarted
from regisseur_bench.operator.resting import Rested

OPERATOR = "operator-1"


def line(verb: str, resource: str, second: int, **other: Any) -> str:
    main, _, sub = resource.partition("/")
    at = f"2026-01-01T00:00:{second:02d}"
    return json.dumps(
        {
            "stage": "ResponseComplete",
            "user": {"username": other.get("user", OPERATOR)},
            "verb": verb,
            "objectRef": {"resource": main, "subresource": sub, "name": "a"},
            "requestReceivedTimestamp": f"{at}.000000Z",
            "stageTimestamp": f"{at}.500000Z",
            "responseStatus": {"code": other.get("code", 200)},
        }
    )


def rested(**changes: Any) -> Rested:
    known: dict[str, Any] = {
        "seconds": 60.0,
        "writes": 0,
        "cpu_share": 0.01,
        "memory_mebibytes": 100.0,
        "calls": 24,
        "ticks": 12,
        "names_bytes": 5000,
    }
    return Rested(**(known | changes))


def filled(**changes: Any) -> Filled:
    known: dict[str, Any] = {
        "resources": 2,
        "seconds": 3.0,
        "creates": Counter(
            deployments=2, services=2, poddisruptionbudgets=2, controllerrevisions=2
        ),
        "repeats": 0,
        "touches": 0,
        "statuses": 4,
        "phases": 4,
        "events": 2,
        "memory_mebibytes": 90.0,
    }
    return Filled(**(known | changes))


def find(results: Results, what: str) -> Judged:
    (found,) = [goal for goal in judge(results) if goal.what == what]
    return found


def test_reads_and_the_lease_are_no_writes() -> None:
    lines = [
        line("get", "services", 1),
        line("watch", "deployments", 1),
        line("update", "leases", 1),
        line("patch", "deployments", 2),
        line("update", "modeldeployments/status", 3),
        line("patch", "deployments", 4, user="somebody"),
    ]
    writes = list_writes(parse_lines(lines), OPERATOR)
    assert [write.resource for write in writes] == ["deployments", "modeldeployments/status"]
    (late,) = list_writes(parse_lines(lines), OPERATOR, since=writes[1].received)
    assert late.answered - late.received == 0.5


def test_a_log_is_read_on_from_where_it_ended(tmp_path: Path) -> None:
    file, log = tmp_path / "audit.log", AuditLog(tmp_path)
    second = line("create", "pods", 5)
    file.write_text(f"{line('create', 'pods', 4)}\n{second[:20]}")
    assert len(log.read()) == 1

    file.write_text(f"{line('create', 'pods', 4)}\n{second}\n")
    file.rename(tmp_path / "audit-2026.log")
    file.write_text(line("create", "pods", 6) + "\n")

    first, *later = log.read()
    assert [request.received - first.received for request in later] == [1.0, 2.0]


def test_an_apply_that_creates_is_told_from_one_that_repeats() -> None:
    lines = [
        line("patch", "deployments", 1, code=201),
        line("patch", "deployments", 2),
        line("create", "controllerrevisions", 2, code=201),
        line("patch", "modeldeployments", 2),
        line("update", "modeldeployments/status", 3),
        line("create", "events", 4, code=201),
    ]
    writes = list(parse_lines(lines))
    found = read_filled(
        writes, held=writes[0].received, resources=1, phases=1, memory_mebibytes=1.0
    )
    assert found.creates == Counter(deployments=1, controllerrevisions=1)
    assert (found.repeats, found.touches, found.statuses, found.events) == (1, 1, 1, 1)
    assert found.seconds == 3.5


def test_surplus_writes_miss_their_goal() -> None:
    what = "from empty: writes beside one create per child"
    assert find(Results(filled=filled(), filled_floor_seconds=1.0), what).is_reached
    surplus = Results(filled=filled(repeats=1), filled_floor_seconds=1.0)
    assert not find(surplus, what).is_reached


def test_times_are_judged_as_multiples_of_the_floor() -> None:
    results = Results(
        filled=filled(),
        filled_floor_seconds=1.0,
        restarted=Restarted(seconds=2.0, floor_seconds=1.0, writes=0),
        moved=Moved(seconds=0.75, floor_seconds=0.25),
        burst=Burst(moves=100, seconds=2.0, floor_seconds=1.0),
    )
    ratios = {goal.what: (goal.found, goal.is_reached) for goal in judge(results)}
    assert ratios["from empty: time"] == (3.0, False)
    assert ratios["restart: time"] == (2.0, True)
    assert ratios["one move: answer to first write"] == (3.0, False)
    assert ratios["100 moves at once: the slowest"] == (2.0, True)


def test_registry_calls_are_judged_by_the_length_of_the_names() -> None:
    what = "at rest: registry calls a tick"
    assert find(Results(rested=rested()), what).is_reached
    assert not find(Results(rested=rested(calls=25)), what).is_reached


def test_metrics_are_summed_over_labels() -> None:
    text = '# HELP a b\na_total{x="1"} 2.0\na_total{x="2"} 3.0\nb 1e+02\n'
    assert parse_metrics(text) == {"a_total": 5.0, "b": 100.0}


def test_a_copy_has_nothing_that_the_api_server_added() -> None:
    found = {
        "metadata": {"name": "a", "uid": "u", "labels": {"l": "1"}, "ownerReferences": []},
        "spec": {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "ports": []},
        "status": {},
    }
    assert strip(found) == {"metadata": {"name": "a", "labels": {"l": "1"}}, "spec": {"ports": []}}


def test_a_played_deployment_is_available_in_its_present_generation() -> None:
    status = play_status({"metadata": {"generation": 3}, "spec": {"replicas": 2}})
    assert status["observedGeneration"] == 3
    assert status["availableReplicas"] == status["replicas"] == 2


def test_the_page_and_its_picture_say_what_was_reached(tmp_path: Path) -> None:
    results = Results(
        filled=filled(),
        filled_floor_seconds=2.5,
        rested=rested(),
        rested_alone=rested(cpu_share=0.0005),
        taken_over=TakenOver(seconds=18.0, late_writes=0, allowed_seconds=17.0),
    )
    page = write_report(results, resources=2)
    assert "| at rest: writes | 0 | 0 | yes |" in page
    assert "| from empty: time | 1.5 × floor | 1.2 × floor | yes |" in page
    assert "| leader killed: takeover | 17 s | 18 s | no |" in page
    assert "restart" not in page.partition("## What was set")[2]
    draw(judge(results), tmp_path / "goals.svg")
    assert "leader killed: takeover" in (tmp_path / "goals.svg").read_text()


def test_growth_is_judged_by_the_time_for_each() -> None:
    sizes = [(10, 5.0), (100, 10.0), (1000, 120.0)]
    results = Results(grown=[Grown(count, seconds, 90.0, 0.01) for count, seconds in sizes])
    (goal,) = judge(results)
    assert goal.what == "growth from 100 to 1000: time for each"
    assert (round(goal.found, 3), goal.is_reached) == (1.2, True)
    assert "| 1000 | 120.0 s | 120.0 ms | 90 | 1.00% |" in write_report(results, 1)
