"""Reads one model: its versions when it moved, addresses and runs once for each version.

MLflow moves no time stamp when a tag or a metric changes. Whoever waits for one looks closely: the
versions and their runs are read again with every tick then.
"""

from collections.abc import Collection
from dataclasses import replace
from itertools import islice
from typing import Final

from regisseur_operator.errors import OperatorError
from regisseur_operator.ports import EMPTY_RUN, ModelVersion, Reference, RegisteredModel, Registry
from regisseur_operator.runtime.registry_models import ModelState, place_of

MOST_RUNS_AGAIN: Final = 16
"""Of a model in one tick: a stage that nobody ever archives must not become a flood."""


class RegistryReader:
    """Asks one registry for what is not known yet of a model."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def read(
        self,
        model: RegisteredModel,
        before: ModelState | None,
        references: Collection[Reference],
        *,
        is_close: bool,
    ) -> tuple[ModelState, OperatorError | None]:
        """Return what is known now, and what kept it from being complete.

        An address or a run that is not given keeps nobody from the versions and from the others.

        Args:
            model: As it was found just now.
            before: What was known.
            references: Those that are followed.
            is_close: Whether tags and metrics are to be read again.
        """
        state = await self._read_versions(model, before, is_close=is_close)
        named = {holder.version for one in references for holder in state.holders(one)}
        wanted = [version for version in state.versions if version.version in named]
        state, no_address = await self._locate(state, wanted)
        state, no_run = await self._read_runs(state, wanted, is_close=is_close)
        return state, no_address or no_run

    async def _read_versions(
        self, model: RegisteredModel, before: ModelState | None, *, is_close: bool
    ) -> ModelState:
        has_moved = before is None or before.model != model
        if before is not None and not has_moved and before.is_settled and not is_close:
            return before
        versions = tuple(await self._registry.versions(model.name))
        known = before or ModelState()
        return replace(known, model=model, versions=versions, is_settled=not has_moved)

    async def _locate(
        self, state: ModelState, wanted: Collection[ModelVersion]
    ) -> tuple[ModelState, OperatorError | None]:
        places = {place_of(version): version for version in wanted}
        uris = {place: uri for place, uri in state.uris.items() if place in places}
        trouble: OperatorError | None = None
        for place, version in places.items():
            if place in uris:
                continue
            try:
                uris[place] = await self._registry.artifact_uri(version.model, version.version)
            except OperatorError as error:
                trouble = error
        return replace(state, uris=uris), trouble

    async def _read_runs(
        self, state: ModelState, wanted: Collection[ModelVersion], *, is_close: bool
    ) -> tuple[ModelState, OperatorError | None]:
        """Read the runs that are not known; looking closely, also those read longest ago."""
        places = {place_of(version): version for version in wanted}
        runs = {place: run for place, run in state.runs.items() if place in places}
        unknown = [place for place in places if place not in runs]
        again = list(islice(runs, MOST_RUNS_AGAIN)) if is_close else []
        trouble: OperatorError | None = None
        for place in [*unknown, *again]:
            run_id = places[place].run_id
            try:
                run = await self._registry.run(run_id) if run_id else EMPTY_RUN
            except OperatorError as error:
                trouble = error
            else:
                runs.pop(place, None)  # what was read last stands last
                runs[place] = run
        return replace(state, runs=runs), trouble
