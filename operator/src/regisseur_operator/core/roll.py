"""A roll: which pods the Deployment is to have, and where they come from.

It is written down twice. As annotations in the same apply as the Deployment it is about, so that no
crash can part the two and an empty status can be rebuilt from what runs; and as a
ControllerRevision, so that any earlier roll can be brought back. The rendered pod template is kept
with it word for word: a newer operator would render another one, and that would replace pods for no
reason.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from regisseur_contract.names import API_GROUP
from regisseur_operator.api.quantity import parse_quantity
from regisseur_operator.api.status import Lineage
from regisseur_operator.core.fingerprint import digest, to_canonical_json
from regisseur_operator.core.identity import Manifest
from regisseur_operator.core.pods import LABEL_INPUTS

ANNOTATION_ROLL: Final = f"{API_GROUP}/roll"
ANNOTATION_POD_TEMPLATE: Final = f"{API_GROUP}/pod-template"
ANNOTATION_LAST: Final = f"{API_GROUP}/last-revision"
TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"

Amounts = Mapping[str, str]


@dataclass(frozen=True)
class Served:
    """The identity of what is served; the digest of its files comes with the rehearsal."""

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
        registry_url: Address of the registry when the template was rendered. A change of it, of
            the workspace, or of the operator's default image, is taken with the next roll and
            rolls nothing itself.
        workspace: Of the registry, empty where it has none. A version of another one is another
            version: it has another run.
        trusts_pickle: The policy of the registry for models that run code when they are loaded; a
            change of it is taken with the next roll, too.
        image_tag: The version's tag that named the image, empty where none did.
        env: Environment of the server as a Pod has it, in the order of the spec.
        pull_secrets: Names of Secrets for the image registry.
        service_account: What the pods run as; it gives the fetch container its cloud identity.
        credentials_secret: Secret whose keys are environment variables of the fetch container.
        ca_config_map: ConfigMap with the certificates that this container believes, or empty.
        pod_template: What the spec adds to the pods, as a Pod has it; nothing empty in it.
        digest: Canonical digest that the files must have, empty where none was rehearsed.
        restart: Token of the last restart that a person asked for.
        engine: What is to make the predictions; empty for the model's own library.
        batch_max_rows: Rows of one call of the model; 0 for the server's own choice.
        convert_seconds: How long the conversion for the engine may take; 0 for the usual time.
        explain_budget_seconds: What an explanation may take; 0 for none.
    """

    served: Served
    image: str
    is_default_image: bool
    registry_url: str
    requests: Amounts = field(default_factory=dict)
    limits: Amounts = field(default_factory=dict)
    trusts_pickle: bool = False
    workspace: str = ""
    image_tag: str = ""
    env: tuple[Manifest, ...] = ()
    pull_secrets: tuple[str, ...] = ()
    service_account: str = ""
    credentials_secret: str = ""
    ca_config_map: str = ""
    pod_template: Manifest = field(default_factory=dict)
    digest: str = ""
    restart: str = ""
    engine: str = ""
    batch_max_rows: int = 0
    convert_seconds: int = 0
    explain_budget_seconds: float = 0.0

    @property
    def fingerprint(self) -> str:
        """Equal for inputs that give equal pods; `1` and `1000m` are the same amount."""
        return digest([*self.wish, self.digest, self.restart])

    @property
    def wish(self) -> list[Any]:
        """What the spec and the registry ask for, as plain values: all but digest and restart."""
        amounts = (_canonical_amounts(self.requests), _canonical_amounts(self.limits))
        access = (self.pull_secrets, self.service_account, self.credentials_secret)
        spec = [self.image, *amounts, self.env, access, self.pod_template]
        return [asdict(self.served), *spec, *self._list_choices()]

    def _list_choices(self) -> list[Any]:
        """Return what is not as usual: what is must look as it did before there was a choice."""
        named = (
            ("batch", self.batch_max_rows),
            ("convert", self.convert_seconds),
            ("explain", self.explain_budget_seconds),
            ("ca", self.ca_config_map),
        )
        engine = [self.engine] if self.engine else []
        return [*engine, *([name, choice] for name, choice in named if choice)]


@dataclass(frozen=True)
class Roll:
    """The intent of a rollout.

    Attributes:
        from_version: The version that was served before, None for the first roll.
        from_revision: The roll that had brought it.
        template: The pod template as it was rendered, None until then.
        lineage: Where the version comes from, as it was known when the roll began.
        key: The try under which it was accepted (see `trial`).
        last: The highest revision given out when this was written. A Deployment that goes back to
            an earlier roll by itself, as by `kubectl rollout undo`, is known by it.
    """

    revision: int
    from_version: int | None
    from_revision: int | None
    started_at: datetime
    inputs: PodInputs
    template: Manifest | None = None
    lineage: Lineage = field(default_factory=Lineage)
    key: str = ""
    last: int = 0

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


def is_alike(first: Roll, second: Roll) -> bool:
    """Whether two rolls bring the same; a restart in between makes no other revision of it."""
    return (first.inputs.wish, first.inputs.digest) == (second.inputs.wish, second.inputs.digest)


def to_annotations(roll: Roll, template: Manifest) -> dict[str, str]:
    """Write a roll and its rendered template down for a Deployment."""
    return {
        ANNOTATION_ROLL: to_canonical_json(_write(roll, template)),
        ANNOTATION_POD_TEMPLATE: to_canonical_json(template),
        ANNOTATION_LAST: str(max(roll.last, roll.revision)),
    }


def to_data(roll: Roll, template: Manifest) -> Manifest:
    """Write a roll and its rendered template down for a ControllerRevision."""
    return {"roll": _write(roll, template), "template": template}


def parse_roll(annotations: Mapping[str, str]) -> Roll | None:
    """Read a Deployment's roll; None where there is none, or where somebody has edited it."""
    try:
        body = json.loads(annotations.get(ANNOTATION_ROLL, ""))
        template = json.loads(annotations.get(ANNOTATION_POD_TEMPLATE, ""))
        return _read(body, template, int(annotations.get(ANNOTATION_LAST, body["revision"])))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def parse_revision(manifest: Manifest) -> Roll | None:
    """Read the roll of a ControllerRevision; None where it holds none."""
    try:
        data = manifest["data"]
        return _read(data["roll"], data["template"], data["roll"]["revision"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _write(roll: Roll, template: Manifest) -> Manifest:
    body: Manifest = {
        "revision": roll.revision,
        "from": roll.from_version,
        "fromRevision": roll.from_revision,
        "to": roll.version,
        "startedAt": roll.started_at.astimezone(UTC).strftime(TIME_FORMAT),
        "inputs": {**asdict(roll.inputs), "env": list(roll.inputs.env)},
        "lineage": roll.lineage.model_dump(mode="json", by_alias=True),
        "key": roll.key,
    }
    body["inputs"]["pull_secrets"] = list(roll.inputs.pull_secrets)
    body["seal"] = digest([body, template])
    return body


def _read(sealed: Mapping[str, Any], template: Manifest, last: int) -> Roll | None:
    body = {name: value for name, value in sealed.items() if name != "seal"}
    if sealed["seal"] != digest([body, template]):
        return None
    inputs = _known(PodInputs, body["inputs"])
    served = Served(**_known(Served, inputs.pop("served")))
    inputs |= {name: tuple(inputs.get(name, ())) for name in ("env", "pull_secrets")}
    return Roll(
        revision=body["revision"],
        from_version=body["from"],
        from_revision=body["fromRevision"],
        started_at=datetime.strptime(body["startedAt"], TIME_FORMAT).replace(tzinfo=UTC),
        inputs=PodInputs(served=served, **inputs),
        template=template,
        lineage=Lineage.model_validate(body.get("lineage") or {}),
        key=body.get("key", ""),
        last=last,
    )


def _known(shape: type[PodInputs | Served], body: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what a newer operator has added: going back to this one rolls nothing."""
    names = {entry.name for entry in fields(shape)}
    return {name: value for name, value in body.items() if name in names}


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
