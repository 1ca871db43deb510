"""What one registry said about its models, and what that means for a reference."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from regisseur_operator.ports import (
    ModelVersion,
    Reference,
    RegisteredModel,
    RegistryAnswer,
    RegistryHealth,
    Run,
)

Place = tuple[int, int, str, str]
"""A version that was deleted and made again has the same number, and its files elsewhere."""


@dataclass(frozen=True)
class ModelState:
    """What the last good answers said about one model.

    Attributes:
        model: The registered model; None where there is none.
        versions: All its versions.
        uris: Storage URIs that were asked for so far.
        runs: Runs that were asked for so far, the one read last standing last.
        is_settled: Whether the versions were read again after the model moved. Two moves in one
            millisecond have one time stamp: a second look finds what the first one missed.
    """

    model: RegisteredModel | None = None
    versions: tuple[ModelVersion, ...] = ()
    uris: Mapping[Place, str] = field(default_factory=dict)
    runs: Mapping[Place, Run] = field(default_factory=dict)
    is_settled: bool = False

    def holders(self, reference: Reference) -> tuple[ModelVersion, ...]:
        """Return the versions that a reference names, ascending.

        MLflow takes a stage in any case, and so does a reference.
        """
        if self.model is None:
            return ()
        if reference.stage is not None:
            stage = reference.stage.casefold()
            return tuple(v for v in self.versions if v.stage.casefold() == stage)
        number = reference.version
        if reference.alias is not None:
            number = self.model.aliases.get(reference.alias)
        return tuple(v for v in self.versions if v.version == number)

    def answer(self, reference: Reference, health: RegistryHealth) -> RegistryAnswer:
        """Return what is known about a reference."""
        holders = self.holders(reference)
        places = {holder.version: place_of(holder) for holder in holders}
        return RegistryAnswer(
            known=True,
            model_exists=self.model is not None,
            holders=holders,
            health=health,
            artifact_uris={n: self.uris[at] for n, at in places.items() if at in self.uris},
            runs={n: self.runs[at] for n, at in places.items() if at in self.runs},
            model_created_ms=self.model.created_ms if self.model is not None else 0,
        )


def place_of(version: ModelVersion) -> Place:
    """Return what tells a version's files and run from those of any other."""
    return version.version, version.created_ms, version.model_id, version.run_id


def build_unknown(health: RegistryHealth) -> RegistryAnswer:
    """Return the answer about a model that was not looked at yet."""
    return RegistryAnswer(known=False, model_exists=False, holders=(), health=health)
