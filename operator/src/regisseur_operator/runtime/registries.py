"""The port `RegistryView`: all registries that the operator was configured with."""

from collections.abc import Mapping

from regisseur_operator.ports import Key, Reference, RegistryAnswer
from regisseur_operator.runtime.registry_watcher import RegistryWatcher


class Registries:
    """Hands each question to the watcher of the registry it is about."""

    def __init__(self, watchers: Mapping[str, RegistryWatcher]) -> None:
        self._watchers = watchers
        self._followed: dict[Key, str] = {}

    def follow(self, key: Key, reference: Reference) -> None:
        """Look at this reference from now on, and wake `key` when its answer changes."""
        if self._followed.get(key, reference.registry) != reference.registry:
            self.forget(key)
        watcher = self._watchers.get(reference.registry)
        if watcher is not None:
            self._followed[key] = reference.registry
            watcher.follow(key, reference)

    def forget(self, key: Key) -> None:
        """Stop following for this ModelDeployment."""
        registry = self._followed.pop(key, None)
        if registry is not None:
            self._watchers[registry].forget(key)

    def watch_closely(self, key: Key, *, is_close: bool) -> None:
        """Read the tags and runs of what `key` follows again with every tick, or no longer."""
        registry = self._followed.get(key)
        if registry is not None:
            self._watchers[registry].watch_closely(key, is_close=is_close)

    def answer(self, reference: Reference) -> RegistryAnswer | None:
        """Return the last answer; None where no registry of that name is configured."""
        watcher = self._watchers.get(reference.registry)
        return watcher.answer(reference) if watcher else None
