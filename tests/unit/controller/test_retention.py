"""Which saved revisions are let go."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regisseur_operator.core.retention import find_outdated

CASES: list[Any] = [
    pytest.param([], 3, [], [], (), id="none are saved"),
    pytest.param([1, 2, 3], 3, [], [], (), id="as many as may stay"),
    pytest.param([3, 1, 2, 4], 2, [], [], (1, 2), id="the oldest go first"),
    pytest.param([1, 2, 3], 1, [1, 2, 3], [], (), id="all are in use"),
    pytest.param([2, 3, 4], 1, [1, 9], [], (2, 3), id="what is kept may not be saved at all"),
    pytest.param([5, 5, 6, 7], 1, [], [], (5, 6), id="a number counts once"),
    pytest.param([1, 2, 3, 4], 2, [1], [], (2,), id="what is in use takes no other's place"),
    pytest.param([1, 2, 3, 4], 2, [], [1, 3], (2, 4), id="what was never complete goes first"),
    pytest.param([1, 2, 3], 1, [], [1, 2, 3], (1, 2), id="of the complete the oldest go first"),
]


@pytest.mark.parametrize(("numbers", "limit", "kept", "proven", "outdated"), CASES)
def test_outdated(
    numbers: list[int], limit: int, kept: list[int], proven: list[int], outdated: tuple[int, ...]
) -> None:
    assert find_outdated(numbers, limit, kept, proven) == outdated


revisions = st.lists(st.integers(min_value=1, max_value=60), unique=True)


@given(
    numbers=revisions,
    limit=st.integers(min_value=1, max_value=50),
    kept=revisions,
    proven=revisions,
)
def test_letting_them_go_leaves_the_best_and_nothing_more_to_do(
    numbers: list[int], limit: int, kept: list[int], proven: list[int]
) -> None:
    outdated = set(find_outdated(numbers, limit, kept, proven))
    left = [number for number in numbers if number not in outdated]
    returns = sorted(set(numbers) & set(proven))

    assert outdated.isdisjoint(kept)
    assert outdated <= set(numbers)
    assert find_outdated(left, limit, kept, proven) == ()
    assert set(returns[-limit:]) <= set(left)
    if not proven:
        assert set(sorted(numbers)[-limit:]) <= set(left)
    assert len(left) <= limit + len(kept)
