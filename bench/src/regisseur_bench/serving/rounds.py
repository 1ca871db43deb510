"""Paired, shuffled rounds, and the ratios that come of them.

A machine is quicker in one minute than in the next. So every server is measured in every round, in
an order of its own each time; ratios are taken within a round, and their median is what counts.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import TypeVar

_T = TypeVar("_T")


def shuffle_rounds(members: Sequence[_T], rounds: int, seed: int) -> Iterator[list[_T]]:
    """Return the order of each round; equal for equal seeds."""
    generator = random.Random(seed)  # noqa: S311 - an order, no secret
    for _ in range(rounds):
        order = list(members)
        generator.shuffle(order)
        yield order


def find_ratios(rates: Mapping[str, Sequence[float]], base: str) -> dict[str, float]:
    """Return how many times as fast as the base each server was: the median of its rounds.

    A round in which the base answered nothing in time counts as infinitely many.

    Args:
        rates: Answers a second of each server, a value a round, all of one length.
        base: The server that counts as 1.
    """
    return {
        name: median(
            rate / other if other else math.inf
            for rate, other in zip(values, rates[base], strict=True)
        )
        for name, values in rates.items()
    }
