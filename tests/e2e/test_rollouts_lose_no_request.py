"""Promotions under load: every request is answered, by the old version and then by the new one.

Three kinds of client post at once and none of them retries: one that connects anew for every
request, one that checks its connection before it uses it again, one that never checks.
"""

from collections.abc import Callable

from regisseur_devcluster.demo.loadprocess import LoadProcess
from regisseur_devcluster.demo.outcomes import KINDS
from support.eventually import eventually
from support.wine import Wine

ROLLOUTS = 5
REQUESTS = 20_000
REQUESTS_PER_SECOND = 220.0
SETTLED_SECONDS = 0.5
"""How long after a pod is gone its last answer may still be counted."""


def test_five_rollouts_lose_no_request(wine: Wine, note_figure: Callable[[str], None]) -> None:
    served = wine.served
    bounds = ("--count", "100000", "--seconds", "600")

    with served.load(REQUESTS_PER_SECOND, *bounds, by="node") as load:
        old, new = wine.now, wine.other
        for number in range(1, ROLLOUTS + 1):
            promoted = served.promote(new)
            ended = served.wait_until_served(new)
            wait_until_only_one_answers(load, old=old, new=new, since=ended)
            note_figure(f"rollout {number}, v{old} → v{new}: {ended - promoted:.1f} s")
            old, new = new, old
        eventually(
            lambda: load.so_far.total >= REQUESTS,
            deadline_seconds=120,
            describe=lambda: f"{REQUESTS} requests are sent; {load.so_far.describe()}",
        )
        summary = load.stop()

    note_figure(summary.describe())
    assert summary.failed == 0, summary.failures
    assert set(summary.requests) == set(KINDS)
    assert set(summary.versions) == {str(version) for version in wine.versions}


def wait_until_only_one_answers(load: LoadProcess, *, old: int, new: int, since: float) -> None:
    """Wait for a second of answers after a rollout and see that all are of the new version."""
    eventually(
        lambda: load.so_far.versions[str(new)].last > since + 1,
        deadline_seconds=10,
        describe=f"version {new} answers",
    )
    assert load.so_far.versions[str(old)].last < since + SETTLED_SECONDS


def test_clients_that_pause_shorter_than_the_drain_lose_nothing(
    wine: Wine, note_figure: Callable[[str], None]
) -> None:
    served, old, new = wine.served, wine.now, wine.other
    slow = ("--pause", "2", "7", "--short", "0", "--keepalive", "20", "--keepalive-blind", "20")

    with served.load(REQUESTS_PER_SECOND, *slow, "--seconds", "300") as load:
        eventually(lambda: load.so_far.total >= 40, deadline_seconds=60, describe="a first round")
        served.promote(new)
        ended = served.wait_until_served(new)
        wait_until_only_one_answers(load, old=old, new=new, since=ended)
        summary = load.stop()

    note_figure(f"clients that pause 2 to 7 s: {summary.describe()}")
    assert summary.failed == 0, summary.failures
    assert summary.versions[str(old)].requests > 0
