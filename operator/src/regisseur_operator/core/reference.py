"""What is said about a reference: what it names, or why it names nothing and what to do.

The words hold still while the registry's do, because a change of them is told as an Event.
"""

from collections.abc import Sequence
from typing import Final

from regisseur_contract.tags import STAGE_ARCHIVED
from regisseur_operator.api.reasons import Reason
from regisseur_operator.core.observed import Observed, build_reference
from regisseur_operator.core.registry import ModelVersion, Reference, RegistryAnswer
from regisseur_operator.core.verdict import Verdict

MOST_NUMBERS: Final = 10
"""Of the versions that are listed by number."""

GOES_ON: Final = "What is served goes on being served"


def describe(reference: Reference) -> str:
    """Name what is looked up, with everything that a person needs to find a typing mistake."""
    return f"{_describe_pointer(reference)} of model {reference.model!r}"


def _describe_pointer(reference: Reference) -> str:
    if reference.stage is not None:
        return f"stage {reference.stage.capitalize()}"
    if reference.alias is not None:
        return f"alias {reference.alias!r}"
    return f"version {reference.version}"


def tell_resolved(
    holders: Sequence[ModelVersion], chosen: ModelVersion, reference: Reference
) -> Verdict:
    """Say which version the reference names, and what is odd about it."""
    if len(holders) > 1:
        return Verdict("True", Reason.SEVERAL_HOLDERS, _tell_several(holders, chosen, reference))
    message = f"{describe(reference)} is version {chosen.version}"
    if reference.alias is not None and chosen.stage == STAGE_ARCHIVED:
        message += (
            f", which is in stage {STAGE_ARCHIVED}; it is followed all the same. Move the alias"
            " if that is not meant"
        )
    return Verdict("True", Reason.VERSION_RESOLVED, capitalize(message))


def _tell_several(
    holders: Sequence[ModelVersion], chosen: ModelVersion, reference: Reference
) -> str:
    numbers = ", ".join(str(holder.version) for holder in holders[-MOST_NUMBERS:])
    others = len(holders) - MOST_NUMBERS
    more = f" and {others} older" if others > 0 else ""
    return (
        f"Versions {numbers}{more} of model {reference.model!r} are all in"
        f" {_describe_pointer(reference)}; version {chosen.version} is followed. Archive the"
        " others to be unambiguous"
    )


def tell_missing(observed: Observed, answer: RegistryAnswer, *, was_known: bool) -> Verdict:
    """Say that the reference names nothing that can be followed.

    Args:
        observed: The world.
        answer: What the registry said.
        was_known: Whether the model was found before.
    """
    reference = build_reference(observed.spec)
    if answer.holders:
        message = _tell_unfinished(answer.holders[-1], reference)
    elif not answer.model_exists:
        message = _tell_no_model(reference, was_known=was_known)
    elif reference.version is not None:
        message = (
            f"There is no {describe(reference)} in registry {reference.registry!r};"
            " correct spec.model.version"
        )
    else:
        message = (
            f"No version holds {describe(reference)} in registry {reference.registry!r};"
            " promote one, or correct spec.model"
        )
    is_serving = observed.deployment is not None
    message = f"{message}. {GOES_ON}" if is_serving else message
    return Verdict("False", Reason.REFERENCE_NOT_FOUND, message)


def _tell_unfinished(pending: ModelVersion, reference: Reference) -> str:
    return (
        f"{capitalize(describe(reference))} is version {pending.version}, whose registration is"
        f" {pending.status} in registry {reference.registry!r}; it is not followed before it is"
        " READY"
    )


def _tell_no_model(reference: Reference, *, was_known: bool) -> str:
    """Name all that it can be: MLflow hides a model from who may not see it as if it were gone."""
    where = f"registry {reference.registry!r}"
    if was_known:
        return (
            f"There is no model {reference.model!r} in {where} any more: it was deleted or"
            " renamed, or the operator may no longer see it. Restore it, let the operator read it,"
            " or correct spec.model.name"
        )
    return (
        f"There is no model {reference.model!r} in {where} (looked for its"
        f" {_describe_pointer(reference)}); register it, let the operator read it, or correct"
        " spec.model.name"
    )


def tell_incomplete(chosen: ModelVersion, answer: RegistryAnswer) -> str:
    """Say what is not known yet of the version that the reference names."""
    if chosen.version not in answer.artifact_uris:
        asked = f"where the files of version {chosen.version} are"
    else:
        asked = f"for run {chosen.run_id} of version {chosen.version}"
    problem = f": {answer.health.message}" if answer.health.message else ""
    return f"The registry was asked {asked}{problem}"


def tell_not_allowed(reference: Reference, breach: str) -> Verdict:
    """Say that the policy of the registry is against it."""
    return Verdict(
        "False",
        Reason.NOT_ALLOWED,
        f"Registry {reference.registry!r} {breach}: so says its policy in the operator's"
        f" configuration. Correct spec.model, or have the policy changed. {GOES_ON}",
    )


def tell_unknown_registry(observed: Observed) -> Verdict:
    """Say that the operator was not configured with this registry."""
    known = ", ".join(sorted(observed.configuration.registry_urls)) or "none"
    return Verdict(
        "False",
        Reason.REGISTRY_UNKNOWN,
        f"The operator knows no registry called {observed.spec.model.registry!r}; it knows:"
        f" {known}. Correct spec.model.registry",
    )


def capitalize(text: str) -> str:
    """Begin a sentence."""
    return text[:1].upper() + text[1:]
