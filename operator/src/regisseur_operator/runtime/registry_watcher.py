"""Watches one registry for everybody who follows a model in it.

A tick is one batched search for all followed models. Versions are read only for models whose time
stamp or aliases moved, and for those that somebody watches closely (see `registry_reader`). A
change wakes those who follow that model; only going down and coming back wakes everybody.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final

from regisseur_operator.errors import OperatorError, TerminalError
from regisseur_operator.ports import (
    Clock,
    Key,
    Reference,
    RegisteredModel,
    Registry,
    RegistryAnswer,
    RegistryHealth,
)
from regisseur_operator.runtime.followers import Followers
from regisseur_operator.runtime.registry_models import ModelState, build_unknown
from regisseur_operator.runtime.registry_reader import RegistryReader
from regisseur_operator.telemetry import Metrics, Repeated

log = logging.getLogger(__name__)

READS_AT_ONCE: Final = 8
LONGEST_PAUSE_SECONDS: Final = 15.0
"""Between two tries of a registry that is down, or the poll interval where that is longer."""


class RegistryWatcher:
    """Follows models in one registry.

    Args:
        name: How ModelDeployments call the registry.
        registry: How it is asked.
        interval_seconds: Between two ticks, at most.
        wake: Called with each key whose answer changed.
    """

    def __init__(
        self,
        name: str,
        registry: Registry,
        *,
        interval_seconds: float,
        wake: Callable[[Key], None],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._name = name
        self._registry = registry
        self._reader = RegistryReader(registry)
        self._interval_seconds = interval_seconds
        self._wake = wake
        self._clock = clock
        self._metrics = metrics
        self._followers = Followers()
        self._states: dict[str, ModelState] = {}
        self._close: set[Key] = set()
        self._told: dict[Key, object] = {}
        self._health = RegistryHealth()
        self._model_health: dict[str, RegistryHealth] = {}
        self._failures = 0
        self._new: set[str] = set()
        self._has_new = asyncio.Event()
        self._reads = asyncio.Semaphore(READS_AT_ONCE)
        self._trouble = Repeated(log)

    def follow(self, key: Key, reference: Reference) -> None:
        """Look at a reference from now on; a new one is looked at at once."""
        if self._followers.get(key) == reference:
            return
        self._told.pop(key, None)
        self._drop(self._followers.add(key, reference))
        self._new.add(reference.model)
        self._has_new.set()

    def forget(self, key: Key) -> None:
        """Stop following for this ModelDeployment."""
        self._close.discard(key)
        self._told.pop(key, None)
        self._drop(self._followers.remove(key))

    def watch_closely(self, key: Key, *, is_close: bool) -> None:
        """Read the tags and runs of what `key` follows again with every tick, or no longer."""
        if is_close:
            self._close.add(key)
        else:
            self._close.discard(key)

    def answer(self, reference: Reference) -> RegistryAnswer:
        """Return the last answer about a reference."""
        health = self._health
        if health.failing_since is None:
            health = self._model_health.get(reference.model, health)
        state = self._states.get(reference.model)
        return state.answer(reference, health) if state else build_unknown(health)

    async def run(self) -> None:
        """Look at what is followed, until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if loop.time() >= due:
                await self.look(self._followers.models)
                due = loop.time() + self._pause()
            elif self._new and not self._failures:
                await self.look(self._new)
            await self._wait_until(due)

    async def look(self, models: Collection[str]) -> None:
        """Ask about some models and wake whom the answers concern."""
        names = sorted(models)
        self._new.difference_update(names)
        if not names:
            return
        try:
            found = await self._registry.search_models(names)
        except OperatorError as error:
            self._fail(error)
            return
        self._recover()
        await asyncio.gather(*(self._look_at(name, found.get(name)) for name in names))

    # ---- one model ----

    async def _look_at(self, name: str, model: RegisteredModel | OperatorError | None) -> None:
        state: ModelState | None = None
        trouble = model if isinstance(model, OperatorError) else None
        if model is None:
            state = ModelState()
        elif not isinstance(model, OperatorError):
            try:
                state, trouble = await self._read(model)
            except OperatorError as error:
                trouble = error
        if not self._followers.of_model(name):  # all went while it was read
            return
        if state is not None:
            self._states[name] = state
        if trouble is not None:
            self._fail_model(name, trouble)
        else:
            self._recover_model(name)
        self._tell(name)

    async def _read(self, model: RegisteredModel) -> tuple[ModelState, OperatorError | None]:
        followers = self._followers.of_model(model.name)
        async with self._reads:
            return await self._reader.read(
                model,
                self._states.get(model.name),
                tuple(followers.values()),
                is_close=not self._close.isdisjoint(followers),
            )

    def _drop(self, model: str | None) -> None:
        """Forget what was said about a model that nobody follows any more."""
        if model is not None:
            self._states.pop(model, None)
            self._model_health.pop(model, None)

    def _tell(self, name: str) -> None:
        for key, reference in self._followers.of_model(name).items():
            answer = self.answer(reference)
            health = answer.health
            mood = (health.failing_since is None, health.denied)
            content = (mood, replace(answer, health=RegistryHealth()))
            if self._told.get(key) != content:
                self._told[key] = content
                self._wake(key)

    # ---- health ----

    def _fail(self, error: OperatorError) -> None:
        self._failures += 1
        before = self._health
        self._health = self._sicken(before, error)
        self._trouble.warn(f"registry {self._name}", str(error))
        if before.failing_since is None or before.denied != self._health.denied:
            self._wake_everybody()

    def _recover(self) -> None:
        self._failures = 0
        self._metrics.registry_answered.labels(self._name).set_to_current_time()
        was_well = self._health.failing_since is None
        self._health = RegistryHealth(ever_answered=True)
        self._trouble.clear(f"registry {self._name}", "answers again")
        if not was_well:
            self._wake_everybody()

    def _fail_model(self, name: str, error: OperatorError) -> None:
        health = self._model_health.get(name, self._health)
        self._model_health[name] = self._sicken(health, error)
        self._trouble.warn(f"model {name!r} of registry {self._name}", str(error))

    def _recover_model(self, name: str) -> None:
        if self._model_health.pop(name, None) is not None:
            self._trouble.clear(f"model {name!r} of registry {self._name}", "is read again")

    def _sicken(self, health: RegistryHealth, error: OperatorError) -> RegistryHealth:
        return replace(
            health,
            failing_since=health.failing_since or self._clock.now(),
            message=str(error),
            denied=isinstance(error, TerminalError),
        )

    def _wake_everybody(self) -> None:
        for key in self._followers.keys:
            self._wake(key)

    # ---- time ----

    def _pause(self) -> float:
        longest = max(self._interval_seconds, LONGEST_PAUSE_SECONDS)
        pause = min(longest, self._interval_seconds * 2.0 ** min(self._failures, 10))
        return pause * random.uniform(0.8, 1.0)  # noqa: S311

    async def _wait_until(self, due: float) -> None:
        """Wait for the next tick, or until somebody follows something new."""
        self._has_new.clear()
        if self._new and not self._failures:
            return
        try:
            async with asyncio.timeout_at(due):
                await self._has_new.wait()
        except TimeoutError:
            return
