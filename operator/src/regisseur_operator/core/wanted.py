"""What the pods are to be made from: the spec and the version that the reference names."""

from dataclasses import dataclass
from typing import Final

from regisseur_contract.engines import Engine
from regisseur_contract.runtime import BATCH_MAX_ROWS, CONVERT_TIMEOUT_SECONDS
from regisseur_operator.api.explain import Explain
from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.serving import Batching
from regisseur_operator.api.status import Lineage, Resolved
from regisseur_operator.api.v1alpha1 import ModelDeploymentSpec
from regisseur_operator.core.current import find_proven
from regisseur_operator.core.lineage import read_digest
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.registry import ModelVersion
from regisseur_operator.core.resolution import Resolution
from regisseur_operator.core.roll import PodInputs, Roll, Served
from regisseur_operator.core.verdict import Verdict

LONGEST_IMAGE: Final = 1024
CONVERSION_PERCENT: Final = 40
"""What a conversion may have of the time that it is a part of; the usual time, where that is usual.
The rest is for what comes before it and after it."""


@dataclass(frozen=True)
class Image:
    """Image of the model server.

    Attributes:
        is_default: Whether the operator chose it.
        tag: The version's tag that names it, empty where none does.
    """

    name: str
    is_default: bool = False
    tag: str = ""


def choose_served(resolution: Resolution, current: Roll | None) -> Served | None:
    """Take the registry's word if it gives one; else go on with what runs, or ran."""
    if current is not None and not resolution.is_fresh:
        return current.inputs.served
    return to_served(resolution.resolved) if resolution.resolved is not None else None


def to_served(resolved: Resolved) -> Served:
    """Return the identity of what the registry named."""
    return Served(
        registry=resolved.registry,
        model=resolved.model,
        version=resolved.version,
        run_id=resolved.run_id,
        model_id=resolved.model_id,
        source=resolved.source,
    )


def choose_lineage(resolution: Resolution, served: Served, current: Roll | None) -> Lineage:
    """Return where a version comes from, as far as it is known."""
    resolved = resolution.resolved
    if resolved is not None and resolved.lineage is not None and to_served(resolved) == served:
        return resolved.lineage
    if current is not None and current.inputs.served == served:
        return current.lineage
    return Lineage()


def choose_digest(resolution: Resolution, served: Served, current: Roll | None) -> str:
    """Return what training said the files of a version are, or else what they were so far."""
    named = _find_named(resolution, served)
    if named is not None:
        return read_digest(named)
    resolved = resolution.resolved
    if resolved is not None and to_served(resolved) == served:
        return resolved.digest
    is_same = current is not None and current.inputs.served == served
    return current.inputs.digest if current is not None and is_same else ""


def _find_named(resolution: Resolution, served: Served) -> ModelVersion | None:
    """Return what the registry says of a version now; it speaks of the one that is named only."""
    resolved = resolution.resolved
    is_named = resolved is not None and to_served(resolved) == served
    return resolution.chosen if is_named else None


def choose_image(
    observed: Observed, resolution: Resolution, served: Served, current: Roll | None
) -> Image | Verdict:
    """Return the image to run, or say why there is none; one that serves already may go on."""
    image = _find_image(observed, resolution, served, current)
    if image is None:
        return _tell_no_image(observed, served)
    is_kept = image.is_default or (current is not None and current.inputs.image == image.name)
    if is_kept or observed.configuration.policy(served.registry).allows_image(image.name):
        return image
    return _tell_foreign_image(served, image)


def _find_image(
    observed: Observed, resolution: Resolution, served: Served, current: Roll | None
) -> Image | None:
    """Return what names the image; None where the version should and does not.

    An image that the spec does not fix is kept from the version's first roll on: a new default,
    or another tag, is taken with the next version and never by itself.
    """
    serving = observed.spec.serving
    if serving.image:
        return Image(serving.image)
    source = serving.image_from
    tag = source.model_version_tag if source is not None else ""
    earlier = [current] if current is not None and not lacks_image(observed, current) else []
    for roll in [*earlier, *find_proven(observed)]:
        inputs = roll.inputs
        is_chosen = inputs.image_tag == tag and inputs.is_default_image == (not tag)
        if inputs.served == served and is_chosen:
            return Image(inputs.image, inputs.is_default_image, tag)
    if not tag:
        return Image(observed.configuration.default_image, is_default=True)
    version = _find_named(resolution, served)
    named = version.tags.get(tag, "").strip() if version is not None else ""
    return Image(named, tag=tag) if is_reference(named) else None


def _tell_no_image(observed: Observed, served: Served) -> Verdict:
    source = observed.spec.serving.image_from
    tag = source.model_version_tag if source is not None else ""
    message = (
        f"Version {served.version} has no image: set its tag {tag!r} in the registry to an image"
        " reference, or set spec.serving.image"
    )
    return Verdict("False", Reason.IMAGE_UNKNOWN, message)


def _tell_foreign_image(served: Served, image: Image) -> Verdict:
    where = f"its tag {image.tag!r}" if image.tag else "spec.serving.image"
    message = (
        f"Version {served.version} waits: registry {served.registry!r} is not for image"
        f" {image.name!r} ({where}), so says its policy in the operator's configuration. Name an"
        " image that it allows, or have the policy changed"
    )
    return Verdict("False", Reason.NOT_ALLOWED, message)


def lacks_image(observed: Observed, roll: Roll) -> bool:
    """Whether a roll is held up because its image cannot be pulled: another may be named by now."""
    candidate = observed.status.candidate
    if candidate is None or candidate.revision != roll.revision or candidate.last_failure is None:
        return False
    return candidate.last_failure.reason == Reason.IMAGE_PULL_FAILED


def is_reference(text: str) -> bool:
    """Whether a tag can be an image; what the spec would refuse is refused here as well."""
    is_solid = not any(letter.isspace() for letter in text)
    return bool(text) and is_solid and len(text) <= LONGEST_IMAGE


def build_inputs(
    observed: Observed, served: Served, image: Image, current: Roll | None
) -> PodInputs | None:
    """Return what the pods are made from; None while the address of the registry is unknown."""
    registry_url = observed.configuration.registry_urls.get(served.registry)
    if registry_url is None and current is not None:
        registry_url = current.inputs.registry_url
    if registry_url is None:
        return None
    serving = observed.spec.serving
    is_converted = serving.engine == Engine.ONNX
    access = serving.model_access
    secret, authorities = access.credentials_secret_ref, access.ca_config_map_ref
    return PodInputs(
        served=served,
        image=image.name,
        is_default_image=image.is_default,
        image_tag=image.tag,
        registry_url=registry_url,
        workspace=observed.configuration.workspaces.get(served.registry, ""),
        trusts_pickle=observed.configuration.policy(served.registry).trusts_pickle,
        requests=dict(serving.resources.requests),
        limits=dict(serving.resources.limits),
        env=tuple(variable.to_manifest() for variable in serving.env),
        pull_secrets=tuple(reference.name for reference in serving.image_pull_secrets),
        service_account=access.service_account_name,
        credentials_secret=secret.name if secret is not None else "",
        ca_config_map=authorities.name if authorities is not None else "",
        pod_template=serving.pod_template.to_manifest(),
        engine=Engine.ONNX if is_converted else "",
        batch_max_rows=_choose_batch(serving.batching),
        convert_seconds=_limit_conversion(observed.spec) if is_converted else 0,
        explain_budget_seconds=_choose_budget(serving.explain),
    )


def _choose_budget(explain: Explain | None) -> float:
    """Return the seconds that an explanation may take; 0 where there is to be none."""
    return explain.budget_seconds if explain is not None and explain.enabled else 0.0


def _choose_batch(batching: Batching | None) -> int:
    """Return the rows of one call that the server is told; 0 for nothing."""
    if batching is None:
        return 0
    if not batching.enabled:
        return 1
    return 0 if batching.max_rows == BATCH_MAX_ROWS else batching.max_rows


def _limit_conversion(spec: ModelDeploymentSpec) -> int:
    """Return the time that fits into a rehearsal, and into a rollout; 0 for the usual.

    Both get the same, so that what is in time in the one is so in the other.
    """
    shortest = float(spec.progress_deadline_seconds)
    if spec.rehearsal.enabled:
        shortest = min(shortest, spec.rehearsal.timeout_seconds)
    seconds = max(int(shortest * CONVERSION_PERCENT / 100), 1)
    return 0 if seconds == CONVERT_TIMEOUT_SECONDS else seconds
