"""The explanation of a rehearsal: one, of a row of the input example, as the server makes it."""

from typing import Final

from regisseur_serving.adapters.explaining import ProcessExplainer
from regisseur_serving.adapters.loading import LoadedModel
from regisseur_serving.adapters.masking import cut
from regisseur_serving.errors import InputError
from regisseur_serving.settings.rehearse import RehearseSettings

_WAIT_SECONDS: Final = 120.0
"""Nobody waits for an answer here."""


async def try_explaining(settings: RehearseSettings, loaded: LoadedModel) -> tuple[str, str]:
    """Return the method by which a model is explained, and why it is not; one of them is empty.

    Args:
        settings: What is rehearsed.
        loaded: The model.
    """
    explainer = ProcessExplainer(
        settings.model_dir,
        budget_seconds=settings.explain_budget_seconds,
        trusts_pickle=settings.trusts_pickle,
        wait_seconds=_WAIT_SECONDS,
    )
    try:
        method = await explainer.prepare()
        if loaded.example:
            table, _ = loaded.reader.read(loaded.example_request)
            # More rows may not fit the budget, which is no fault of a model.
            await explainer.explain(cut(table, 0, 1))
    except InputError as error:
        return "", explainer.reason or str(error)
    else:
        return method, ""
    finally:
        await explainer.close()
