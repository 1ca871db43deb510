"""Whether the model that an image holds is the one that the registry names.

An image stays what it is while the registry moves on: without this, an image that was built for
one version would serve as any other.
"""

from collections.abc import Mapping

from regisseur_serving.errors import UnservableError

_REMEDY = (
    "build an image for each version and name it in the version's tag regisseur.image "
    "(spec.serving.imageFrom.modelVersionTag)"
)


def check_baked(
    document: object, *, model_id: str, run_id: str, is_digest_expected: bool, place: object
) -> None:
    """Let a model pass that says itself that it is the one that was asked for.

    Args:
        document: Its MLmodel file, parsed.
        model_id: MLflow's id of the logged model that the registry names; empty for none.
        run_id: Of the run that the registry names; empty for none.
        is_digest_expected: Whether the files themselves are compared afterwards.
        place: Where it is in the image, for people.

    Raises:
        UnservableError: It is another model, or nothing tells which one it is.
    """
    if not isinstance(document, Mapping):
        raise UnservableError(f"MLmodel in {place} is not that of a model; log the model again")
    for what, wanted in (("model_id", model_id), ("run_id", run_id)):
        found = str(document.get(what) or "")
        if found and wanted:
            if found != wanted:
                raise UnservableError(
                    f"the image holds a model with the {what} {found[:80]!r} in {place}, and the "
                    f"version has {wanted!r}; {_REMEDY}"
                )
            return
    if not is_digest_expected:
        raise UnservableError(
            f"nothing tells whether the model in {place} is that of the version: its MLmodel and "
            "the registry have neither a model_id nor a run_id in common; register a logged model"
        )
