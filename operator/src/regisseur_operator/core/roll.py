"""A roll: which pods the Deployment is to have, and where they come from.

It is written as annotations in the same apply as the Deployment it is about, so that no crash can
part the two, and so that an empty status can be rebuilt from what runs. The rendered pod template
is kept with it word for word: a newer operator would render another one, and that would replace
pods for no reason. (Once ControllerRevisions exist, the template moves there.)
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from regisseur_contract.names import API_GROUP
from regisseur_operator.api.quantity import parse_quantity
from regisseur_operator.core.fingerprint import digest, to_canonical_json
from regisseur_operator.core.identity import Manifest
from regisseur_operator.core.pods import LABEL_INPUTS

ANNOTATION_ROLL: Final = f"{API_GROUP}/roll"
ANNOTATION_POD_TEMPLATE: Final = f"{API_GROUP}/pod-template"
TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"

Amounts = Mapping[str, str]


@dataclass(frozen=True)
class Served:
    """The identity of what is served."""

    registry: str
    model: str
    version: int
    run_id: str
    model_id: str
    source: str


@dataclass(frozen=True)
class PodInputs:
    """Everything that a change of replaces the pods.

    Attributes:
        is_default_image: Whether the image was the operator's choice and not the spec's.
        registry_url: Address of the registry when the template was rendered. A change of it, or
            of the operator's default image, is taken with the next roll and rolls nothing itself.
    """

    served: Served
    image: str
    is_default_image: bool
    registry_url: str
    requests: Amounts = field(default_factory=dict)
    limits: Amounts = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Equal for inputs that give equal pods; `1` and `1000m` are the same amount."""
        amounts = (_canonical_amounts(self.requests), _canonical_amounts(self.limits))
        return digest([asdict(self.served), self.image, *amounts])


@dataclass(frozen=True)
class Roll:
    """The intent of a rollout.

    Attributes:
        from_version: The version that was served before, None for the first roll.
        from_revision: The roll that had brought it.
        template: The pod template as it was rendered, None until then.
    """

    revision: int
    from_version: int | None
    from_revision: int | None
    started_at: datetime
    inputs: PodInputs
    template: Manifest | None = None

    @property
    def version(self) -> int:
        """The model version that it brings."""
        return self.inputs.served.version

    @property
    def pod_label(self) -> str:
        """What its pods carry as `LABEL_INPUTS`: another operator may have computed it."""
        metadata = (self.template or {}).get("metadata") or {}
        labels = metadata.get("labels") or {}
        return str(labels.get(LABEL_INPUTS) or self.inputs.fingerprint)


def to_annotations(roll: Roll, template: Manifest) -> dict[str, str]:
    """Write a roll and its rendered template down."""
    body: dict[str, Any] = {
        "revision": roll.revision,
        "from": roll.from_version,
        "fromRevision": roll.from_revision,
        "to": roll.version,
        "startedAt": roll.started_at.astimezone(UTC).strftime(TIME_FORMAT),
        "inputs": asdict(roll.inputs),
    }
    body["seal"] = _seal(body, template)
    return {
        ANNOTATION_ROLL: to_canonical_json(body),
        ANNOTATION_POD_TEMPLATE: to_canonical_json(template),
    }


def parse_roll(annotations: Mapping[str, str]) -> Roll | None:
    """Read a roll back; None where there is none, or where somebody has edited it."""
    try:
        body = json.loads(annotations.get(ANNOTATION_ROLL, ""))
        template = json.loads(annotations.get(ANNOTATION_POD_TEMPLATE, ""))
        seal = body.pop("seal")
        if seal != _seal(body, template):
            return None
        inputs = _known(PodInputs, body["inputs"])
        served = Served(**_known(Served, inputs.pop("served")))
        return Roll(
            revision=body["revision"],
            from_version=body["from"],
            from_revision=body["fromRevision"],
            started_at=datetime.strptime(body["startedAt"], TIME_FORMAT).replace(tzinfo=UTC),
            inputs=PodInputs(served=served, **inputs),
            template=template,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _known(shape: type[PodInputs | Served], body: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what a newer operator has added: going back to this one rolls nothing."""
    names = {entry.name for entry in fields(shape)}
    return {name: value for name, value in body.items() if name in names}


def _seal(body: Mapping[str, Any], template: Manifest) -> str:
    return digest([body, template])


def _canonical_amounts(amounts: Amounts) -> dict[str, str]:
    return {name: format(parse_quantity(text).normalize(), "f") for name, text in amounts.items()}


def is_same_amount(first: str, second: str) -> bool:
    """Tell whether two quantities are the same amount; text that is none is only itself."""
    return first == second or _amount(first) == _amount(second) is not None


def _amount(text: str) -> Decimal | None:
    try:
        return parse_quantity(text)
    except ValueError:
        return None
