"""What people may add to the pods: an allow-list of a Pod's own fields, and nothing else.

Whatever decides what runs in a pod, and with which rights, is the operator's.
"""

import json
from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, WithJsonSchema, field_validator, model_validator

from regisseur_operator.api.fields import Int32, Int64, OptionalObjectName, SpecModel
from regisseur_operator.api.labels import (
    LabelKey,
    Labels,
    LabelValue,
    OwnLabels,
    PodAnnotations,
)
from regisseur_operator.api.rules import (
    MAX_VALUES,
    MIN_DOMAINS_RULE,
    SELECTOR_VALUES_RULE,
    TOLERATION_KEY_RULE,
    TOLERATION_SECONDS_RULE,
    TOLERATION_VALUE_RULE,
    cel,
)

DEEPEST_AFFINITY: Final = 12
"""Of what a Pod takes nothing is as deep; the schema of the resource leaves it open."""

OPAQUE: Final = {
    "type": "object",
    "maxProperties": 8,
    "x-kubernetes-preserve-unknown-fields": True,
}
_AFFINITIES: Final = {
    "nodeAffinity": "Which nodes the pods need or prefer, as in a Pod.",
    "podAffinity": "Near which other pods they need or prefer to be, as in a Pod.",
    "podAntiAffinity": "Away from which other pods they need or prefer to be, as in a Pod.",
}

Affinity = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                name: {**OPAQUE, "description": text, "default": None}
                for name, text in _AFFINITIES.items()
            },
        }
    ),
]


class Toleration(SpecModel):
    """A taint of nodes that the pods put up with, as in a Pod."""

    model_config = ConfigDict(
        json_schema_extra=cel(TOLERATION_KEY_RULE, TOLERATION_VALUE_RULE, TOLERATION_SECONDS_RULE)
    )

    key: LabelKey | None = Field(
        default=None, description="Key of the taint; absent means every taint."
    )
    operator: Literal["Equal", "Exists"] | None = Field(
        default=None,
        description="Equal compares the value of the taint, Exists takes any. Absent means Equal.",
    )
    value: LabelValue | None = Field(default=None, description="Value of the taint.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="Effect of the taint; absent means every effect."
    )
    toleration_seconds: Int64 | None = Field(
        default=None,
        description="How long a pod stays on a node that gets the taint; absent means for ever.",
    )

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        if not self.key and self.operator != "Exists":
            raise ValueError(TOLERATION_KEY_RULE[1])
        if self.operator == "Exists" and self.value:
            raise ValueError(TOLERATION_VALUE_RULE[1])
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise ValueError(TOLERATION_SECONDS_RULE[1])
        return self


class LabelSelectorTerm(SpecModel):
    """One condition on labels, as in every label selector."""

    model_config = ConfigDict(json_schema_extra=cel(SELECTOR_VALUES_RULE))

    key: LabelKey = Field(description="Key of the label.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(
        description="How the label is compared with the values."
    )
    values: list[LabelValue] = Field(
        default_factory=list,
        max_length=32,
        description="Values to compare with; none for Exists and DoesNotExist.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )

    @model_validator(mode="after")
    def _check_values(self) -> Self:
        if (self.operator in ("In", "NotIn")) != bool(self.values):
            raise ValueError(SELECTOR_VALUES_RULE[1])
        return self


class LabelSelector(SpecModel):
    """Which pods are counted, by their labels."""

    match_labels: Labels = Field(default_factory=dict, description="Labels that a pod must have.")
    match_expressions: list[LabelSelectorTerm] = Field(
        default_factory=list,
        max_length=16,
        description="Further conditions; all must hold.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )


class TopologySpreadConstraint(SpecModel):
    """How evenly the pods are spread over a kind of place, as in a Pod."""

    model_config = ConfigDict(json_schema_extra=cel(MIN_DOMAINS_RULE))

    max_skew: Int32 = Field(
        ge=1, description="By how many pods two places may differ at most; 1 is even."
    )
    topology_key: LabelKey = Field(
        description="Node label that makes places, such as kubernetes.io/hostname or"
        " topology.kubernetes.io/zone.",
    )
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"] = Field(
        description="What to do with a pod that cannot be placed so: wait, or place it anyway."
    )
    label_selector: LabelSelector | None = Field(
        default=None,
        description="Which pods are counted; absent means those of this ModelDeployment.",
    )
    min_domains: Int32 | None = Field(
        default=None, ge=1, description="How many places there must be at least; as in a Pod."
    )
    node_affinity_policy: Literal["Honor", "Ignore"] | None = Field(
        default=None, description="Whether nodes that the pod cannot go to count; as in a Pod."
    )
    node_taints_policy: Literal["Honor", "Ignore"] | None = Field(
        default=None, description="Whether nodes with taints count; as in a Pod."
    )
    match_label_keys: list[LabelKey] = Field(
        default_factory=list,
        max_length=8,
        description="Keys of pod labels, such as pod-template-hash, that counted pods must share.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )

    @model_validator(mode="after")
    def _check_domains(self) -> Self:
        if self.min_domains is not None and self.when_unsatisfiable != "DoNotSchedule":
            raise ValueError(MIN_DOMAINS_RULE[1])
        return self


class PodTemplate(SpecModel):
    """What the pods get on top of what the operator gives them."""

    labels: OwnLabels = Field(
        default_factory=dict,
        description="Further labels of the pods. Those under regisseur.dev/ and"
        " app.kubernetes.io/ are the operator's own.",
    )
    annotations: PodAnnotations = Field(
        default_factory=dict,
        description="Further annotations of the pods, as service meshes and collectors of metrics"
        " read them. Those under regisseur.dev/ are the operator's own.",
    )
    node_selector: Labels = Field(
        default_factory=dict,
        description="Labels that a node must have to take the pods.",
    )
    tolerations: list[Toleration] = Field(
        default_factory=list,
        max_length=32,
        description="Taints of nodes that the pods put up with.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    affinity: Affinity = Field(
        default_factory=dict,
        description="Which nodes and which neighbours the pods need or prefer, as in a Pod.",
    )
    topology_spread_constraints: list[TopologySpreadConstraint] = Field(
        default_factory=list,
        max_length=8,
        description="How the pods are spread over nodes and zones. Empty means evenly over nodes,"
        " where that is possible.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["topologyKey", "whenUnsatisfiable"],
        },
    )
    priority_class_name: OptionalObjectName = Field(
        default="",
        description="PriorityClass of the pods; empty means the cluster's default.",
    )

    def to_manifest(self) -> dict[str, Any]:
        """Plain JSON as a Pod has it, without what is empty."""
        return _without_empty(super().to_manifest())

    @field_validator("affinity")
    @classmethod
    def _check_affinity(cls, affinity: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(affinity.keys() - _AFFINITIES)
        if unknown:
            raise ValueError(f"unknown kind {unknown[0]!r}: known are {', '.join(_AFFINITIES)}")
        if _is_deeper(affinity, DEEPEST_AFFINITY):
            raise ValueError(f"nested more than {DEEPEST_AFFINITY} levels deep")
        if len(json.dumps(affinity)) > MAX_VALUES:
            raise ValueError(f"longer than {MAX_VALUES} characters")
        return affinity


def _is_deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(part, levels - 1) for part in parts)


def _without_empty(manifest: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in manifest.items() if part not in ({}, [], "")}
