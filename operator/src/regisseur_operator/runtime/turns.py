"""The port `Turns`: so many rehearsals and so many rollouts at once, in a fair order.

Whoever has least under way comes next among the namespaces; within one, whoever came first. So a
hundred models of one team do not hold up the one of another.

The order lives in memory only. After a start it is that of the first looks, and what is under way
is read off the statuses before any of them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from regisseur_operator.api.status import RehearsalState, parse_status
from regisseur_operator.ports import Key, Manifest, Turn
from regisseur_operator.runtime.caches import key_of


class FairTurns:
    """Who is under way and who waits.

    Args:
        limits: How many may be under way at once; 0 is no limit.
        wake: Called with each key whose turn has come.
    """

    def __init__(self, limits: Mapping[Turn, int], wake: Callable[[Key], None]) -> None:
        self._lines = {turn: _Line(limits.get(turn, 0)) for turn in Turn}
        self._wake = wake

    def recall(self, manifests: Iterable[Manifest]) -> None:
        """Take in what was under way before this process began."""
        for manifest in manifests:
            status = parse_status(manifest)
            if status.candidate is not None:
                self._lines[Turn.ROLLOUT].under_way.add(key_of(manifest))
            if status.rehearsal is not None and status.rehearsal.state == RehearsalState.RUNNING:
                self._lines[Turn.REHEARSAL].under_way.add(key_of(manifest))

    def count_waiting(self, turn: Turn) -> int:
        """Return how many wait."""
        return len(self._lines[turn].waiting)

    def offer(self, key: Key) -> frozenset[Turn]:
        """Return what may begin for `key` now, or is under way."""
        return frozenset(turn for turn, line in self._lines.items() if line.admits(key))

    def settle(self, key: Key, under_way: frozenset[Turn], waits_for: Turn | None) -> None:
        """Take in what came of an offer, and wake whose turn it is now."""
        for turn, line in self._lines.items():
            line.settle(key, is_under_way=turn in under_way, is_waiting=turn == waits_for)
            for next_key in line.list_next():
                if next_key != key:
                    self._wake(next_key)

    def forget(self, key: Key) -> None:
        """Take in that for `key` nothing is under way, and that it waits for nothing."""
        self.settle(key, frozenset(), None)


class _Line:
    """One line of waiting keys, in the order in which they came."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._woken: set[Key] = set()
        self.under_way: set[Key] = set()
        self.waiting: dict[Key, None] = {}

    def admits(self, key: Key) -> bool:
        if not self._limit or key in self.under_way:
            return True
        free = self._limit - len(self.under_way)
        if free <= 0 or not self.waiting:
            return free > 0
        return key in self._order([*self.waiting, key])[:free]

    def settle(self, key: Key, *, is_under_way: bool, is_waiting: bool) -> None:
        self._woken.discard(key)
        if is_under_way:
            self.under_way.add(key)
        else:
            self.under_way.discard(key)
        if not is_waiting:
            self.waiting.pop(key, None)
        else:
            self.waiting.setdefault(key)

    def list_next(self) -> list[Key]:
        """Return whose turn has come and who was not woken for it yet."""
        free = self._limit - len(self.under_way)
        if free <= 0 or not self.waiting:
            return []
        found = [key for key in self._order(self.waiting)[:free] if key not in self._woken]
        self._woken.update(found)
        return found

    def _order(self, keys: Iterable[Key]) -> list[Key]:
        ahead = Counter(key.namespace for key in self.under_way)
        ranks: dict[Key, int] = {}
        for key in dict.fromkeys(keys):
            ranks[key] = ahead[key.namespace]
            ahead[key.namespace] += 1
        return sorted(ranks, key=lambda key: ranks[key])
