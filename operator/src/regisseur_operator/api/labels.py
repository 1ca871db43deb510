"""Labels and annotations that people write: the notation of their keys and values, and whose."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from regisseur_operator.api.rules import (
    ANNOTATIONS_SIZE_RULE,
    COMMON_PREFIX,
    LABEL_KEY_PATTERN,
    LABEL_KEY_RULE,
    LABEL_KEYS_RULE,
    LABEL_VALUE_PATTERN,
    LABEL_VALUE_RULE,
    MAX_VALUES,
    OWN_ANNOTATIONS_RULE,
    OWN_LABELS_RULE,
    OWN_PREFIX,
    SECURITY_ANNOTATIONS_RULE,
    SECURITY_PREFIXES,
    cel,
)

MAX_KEYS: Final = 32

_KEY: Final = re.compile(LABEL_KEY_PATTERN, re.ASCII)
_VALUE: Final = re.compile(LABEL_VALUE_PATTERN, re.ASCII)


def _check_key(key: str) -> str:
    if key and not _KEY.fullmatch(key):
        raise ValueError(LABEL_KEY_RULE[1])
    return key


def _check_value(value: str) -> str:
    if not _VALUE.fullmatch(value):
        raise ValueError(LABEL_VALUE_RULE[1])
    return value


def _check_no_own_label(labels: dict[str, str]) -> dict[str, str]:
    if any(key.startswith((OWN_PREFIX, COMMON_PREFIX)) for key in labels):
        raise ValueError(OWN_LABELS_RULE[1])
    return labels


def _check_no_own_annotation(annotations: dict[str, str]) -> dict[str, str]:
    if any(key.startswith(OWN_PREFIX) for key in annotations):
        raise ValueError(OWN_ANNOTATIONS_RULE[1])
    return annotations


def _check_size(annotations: dict[str, str]) -> dict[str, str]:
    if sum(map(len, annotations.values())) > MAX_VALUES:
        raise ValueError(ANNOTATIONS_SIZE_RULE[1])
    return annotations


def _check_no_security_annotation(annotations: dict[str, str]) -> dict[str, str]:
    if any(key.startswith(SECURITY_PREFIXES) for key in annotations):
        raise ValueError(SECURITY_ANNOTATIONS_RULE[1])
    return annotations


def _rules(*rules: tuple[str, str]) -> dict[str, Any]:
    return cel(LABEL_KEYS_RULE, *rules)


_MapKey = Annotated[str, AfterValidator(_check_key), Field(min_length=1, max_length=317)]

LabelKey = Annotated[
    str,
    AfterValidator(_check_key),
    Field(min_length=1, max_length=317, json_schema_extra=cel(LABEL_KEY_RULE)),
]
LabelValue = Annotated[
    str,
    AfterValidator(_check_value),
    Field(max_length=63, json_schema_extra=cel(LABEL_VALUE_RULE)),
]
Labels = Annotated[
    dict[_MapKey, LabelValue],
    Field(max_length=MAX_KEYS, json_schema_extra=_rules()),
]
OwnLabels = Annotated[
    dict[_MapKey, LabelValue],
    Field(max_length=MAX_KEYS, json_schema_extra=_rules(OWN_LABELS_RULE)),
    AfterValidator(_check_no_own_label),
]
Annotations = Annotated[
    dict[_MapKey, Annotated[str, Field(max_length=16384)]],
    Field(
        max_length=MAX_KEYS, json_schema_extra=_rules(OWN_ANNOTATIONS_RULE, ANNOTATIONS_SIZE_RULE)
    ),
    AfterValidator(_check_no_own_annotation),
    AfterValidator(_check_size),
]
PodAnnotations = Annotated[
    dict[_MapKey, Annotated[str, Field(max_length=16384)]],
    Field(
        max_length=MAX_KEYS,
        json_schema_extra=_rules(
            OWN_ANNOTATIONS_RULE, ANNOTATIONS_SIZE_RULE, SECURITY_ANNOTATIONS_RULE
        ),
    ),
    AfterValidator(_check_no_own_annotation),
    AfterValidator(_check_size),
    AfterValidator(_check_no_security_annotation),
]
"""Labels anywhere, labels of the operator's own objects, annotations of those and of pods."""
