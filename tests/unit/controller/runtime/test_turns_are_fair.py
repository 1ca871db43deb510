"""Never more at once than the limit, everybody in the end, no namespace before others."""

from collections import Counter, deque
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regisseur_operator.ports import Key, Turn
from regisseur_operator.runtime.turns import FairTurns

NOTHING: frozenset[Turn] = frozenset()
ROLLOUT = frozenset({Turn.ROLLOUT})


class Crowd:
    """Many keys that want a rollout each, and a queue that they are woken through."""

    def __init__(self, limit: int) -> None:
        self.queue: deque[Key] = deque()
        self.turns = FairTurns({Turn.ROLLOUT: limit}, self.queue.append)
        self.under_way: list[Key] = []
        self.began: list[Key] = []

    def come(self, key: Key) -> None:
        """Ask for a turn, and take it or wait."""
        if key in self.began:
            return
        if Turn.ROLLOUT in self.turns.offer(key):
            self.turns.settle(key, ROLLOUT, None)
            self.under_way.append(key)
            self.began.append(key)
        else:
            self.turns.settle(key, NOTHING, Turn.ROLLOUT)

    def end(self, key: Key) -> None:
        """Be done, and let those come who were woken."""
        self.under_way.remove(key)
        self.turns.settle(key, NOTHING, None)
        while self.queue:
            self.come(self.queue.popleft())


def keys(namespace: str, count: int) -> list[Key]:
    return [Key(namespace, f"model-{number}") for number in range(count)]


@given(
    limit=st.integers(1, 4),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    order=st.randoms(use_true_random=False),
)
def test_never_more_than_the_limit_and_everybody_in_the_end(
    limit: int, sizes: list[int], order: Random
) -> None:
    everybody = [key for team, size in enumerate(sizes) for key in keys(f"team-{team}", size)]
    order.shuffle(everybody)
    crowd = Crowd(limit)
    for key in everybody:
        crowd.come(key)
        assert len(crowd.under_way) <= limit
    while crowd.under_way:
        crowd.end(order.choice(crowd.under_way))
        left = len(everybody) - len(crowd.began) + len(crowd.under_way)
        assert len(crowd.under_way) == min(limit, left), "no place is lost"

    assert sorted(crowd.began) == sorted(everybody)
    assert crowd.turns.count_waiting(Turn.ROLLOUT) == 0


def test_one_team_with_many_models_does_not_hold_up_another() -> None:
    crowd = Crowd(limit=2)
    for key in keys("many", 20):
        crowd.come(key)
    crowd.come(Key("few", "model"))

    crowd.end(crowd.under_way[0])

    assert crowd.began[-1] == Key("few", "model")


def test_within_a_namespace_the_first_comes_first() -> None:
    crowd = Crowd(limit=1)
    everybody = keys("team", 5)
    for key in everybody:
        crowd.come(key)
    for _ in everybody:
        crowd.end(crowd.under_way[0])

    assert crowd.began == everybody


def test_a_newcomer_does_not_pass_those_who_wait() -> None:
    crowd = Crowd(limit=1)
    first, second, newcomer = keys("team", 3)
    crowd.come(first)
    crowd.come(second)
    crowd.turns.settle(first, NOTHING, None)

    assert Turn.ROLLOUT not in crowd.turns.offer(newcomer)
    assert Turn.ROLLOUT in crowd.turns.offer(second)
    assert list(crowd.queue) == [second], "it is woken once"


def test_who_leaves_the_line_makes_room_for_the_next() -> None:
    crowd = Crowd(limit=1)
    first, second, third = keys("team", 3)
    for key in (first, second, third):
        crowd.come(key)
    crowd.turns.settle(first, NOTHING, None)

    crowd.turns.settle(second, NOTHING, None)

    assert list(crowd.queue) == [second, third]


@pytest.mark.parametrize("turn", Turn)
def test_zero_is_no_limit(turn: Turn) -> None:
    turns = FairTurns({}, lambda _: None)
    for key in keys("team", 100):
        assert turn in turns.offer(key)
        turns.settle(key, frozenset(Turn), None)


def test_places_are_shared_by_the_namespaces() -> None:
    crowd = Crowd(limit=4)
    for team in ("a", "b"):
        for key in keys(team, 10):
            crowd.come(key)
    while len(crowd.began) < 12:
        crowd.end(crowd.began[len(crowd.began) - 4])

    assert Counter(key.namespace for key in crowd.under_way) == {"a": 2, "b": 2}
