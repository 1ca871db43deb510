"""Who follows what in one registry."""

from collections import defaultdict
from collections.abc import Collection

from regisseur_operator.ports import Key, Reference


class Followers:
    """The references that ModelDeployments follow, by ModelDeployment and by model."""

    def __init__(self) -> None:
        self._references: dict[Key, Reference] = {}
        self._of_model: defaultdict[str, set[Key]] = defaultdict(set)

    @property
    def keys(self) -> Collection[Key]:
        """All who follow something."""
        return tuple(self._references)

    @property
    def models(self) -> Collection[str]:
        """All models that somebody follows."""
        return tuple(self._of_model)

    def get(self, key: Key) -> Reference | None:
        """Return what a ModelDeployment follows."""
        return self._references.get(key)

    def add(self, key: Key, reference: Reference) -> str | None:
        """Follow this instead of anything before; return the model that nobody follows now."""
        left = self.remove(key)
        self._references[key] = reference
        self._of_model[reference.model].add(key)
        return None if left == reference.model else left

    def remove(self, key: Key) -> str | None:
        """Follow no more; return the model that nobody follows now."""
        reference = self._references.pop(key, None)
        if reference is None:
            return None
        keys = self._of_model[reference.model]
        keys.discard(key)
        if keys:
            return None
        del self._of_model[reference.model]
        return reference.model

    def of_model(self, model: str) -> dict[Key, Reference]:
        """Return who follows a model by which reference."""
        return {key: self._references[key] for key in self._of_model.get(model, ())}
