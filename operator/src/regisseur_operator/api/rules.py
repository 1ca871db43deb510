"""What CEL asks of a ModelDeployment: expressions for the API server, messages for people.

A rule is written twice, here as CEL and at its model as a validator: the API server is the one
that answers people, the validator holds for objects stored before the rule existed.
"""

from typing import Any, Final

from regisseur_contract.names import API_GROUP
from regisseur_contract.runtime import ENV_PREFIX, MOST_EXPLAIN_BUDGET_SECONDS
from regisseur_operator.api.duration import PATTERN

OWN_PREFIX: Final = f"{API_GROUP}/"
COMMON_PREFIX: Final = "app.kubernetes.io/"
MAX_VALUES: Final = 32768
"""Values of one list or map together: a revision keeps them all, and an object has a size."""

VALIDATIONS: Final = "x-kubernetes-validations"


def escape_cel(pattern: str) -> str:
    """Write a regular expression inside a CEL string."""
    return pattern.replace("\\", "\\\\").replace("'", "\\'")


def cel(*rules: tuple[str, str]) -> dict[str, Any]:
    """Schema keyword for CEL rules, each an expression and the message that people read."""
    return {VALIDATIONS: [{"rule": rule, "message": message} for rule, message in rules]}


DURATION_MESSAGE: Final = "must be a duration such as 300ms, 90s, 5m or 1h30m"
DURATION_RULE: Final = (
    f"self != '' && self.matches('^{escape_cel(PATTERN)}$')",
    DURATION_MESSAGE,
)
VERSION_MESSAGE: Final = "version must be a whole number from 1, such as 3"
VERSION_RULE: Final = (
    "type(self) == int ? self >= 1 : self.matches('^[1-9][0-9]{0,9}$')",
    VERSION_MESSAGE,
)
INT_OR_PERCENT_MESSAGE: Final = "must be a number of pods such as 1, or a percentage such as 25%"
INT_OR_PERCENT_RULE: Final = (
    "type(self) == int ? self >= 0 : self.matches('^(0|[1-9][0-9]{0,2})%$')",
    INT_OR_PERCENT_MESSAGE,
)
AT_MOST_ALL_RULE: Final = (
    "type(self) == int || self == '100%' || !self.matches('^[1-9][0-9]{2}%$')",
    "maxUnavailable must not be more than 100%",
)
QUANTITY_MESSAGE: Final = "must be a quantity such as 500m, 1 or 512Mi"
QUANTITY_RULE: Final = (
    "type(self) == int ? self >= 0 : isQuantity(self) && !self.startsWith('-')",
    QUANTITY_MESSAGE,
)
NAME_RULE: Final = (
    "self.metadata.name.size() <= 50 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    "metadata.name becomes the name of a Service: at most 50 lower-case letters, digits and '-',"
    " starting with a letter and ending with a letter or digit",
)
STAGE_RULE: Final = (
    "self.lowerAscii() in ['production', 'staging', 'archived']",
    "a stage is Production, Staging or Archived",
)
ONE_REFERENCE_RULE: Final = (
    "[has(self.stage), has(self.alias), has(self.version)].filter(isSet, isSet).size() == 1",
    "set exactly one of stage, alias and version: the one reference to follow",
)
MODEL_NAME_RULE: Final = (
    "!self.contains('/') && !self.contains(':')",
    "a registered model's name has no '/' and no ':'",
)
ALIAS_RULE: Final = (
    "self.matches('^[\\\\p{L}\\\\p{N}_-]+$')",
    "an alias is made of letters, digits, '_' and '-'",
)
RESERVED_ALIAS_RULE: Final = (
    "self.lowerAscii() != 'latest' && !self.matches('^[vV][0-9]+$')",
    "MLflow reserves 'latest' and 'v<number>': use version to pin a version, or another alias",
)
METRIC_GATE_RULE: Final = (
    "has(self.threshold) || has(self.maxRegression)",
    "set threshold, maxRegression or both: a gate without them lets everything through",
)
TIMEOUT_RULE: Final = (
    f"self == '' || !self.matches('^{escape_cel(PATTERN)}$')"
    " || (duration(self) >= duration('1s') && duration(self) <= duration('24h'))",
    "timeout must be from 1s to 24h",
)
LEAST_EXPLAIN_BUDGET_SECONDS: Final = 0.1
EXPLAIN_BUDGET_RULE: Final = (
    f"self == '' || !self.matches('^{escape_cel(PATTERN)}$')"
    " || (duration(self) >= duration('100ms')"
    f" && duration(self) <= duration('{MOST_EXPLAIN_BUDGET_SECONDS}s'))",
    f"budget must be from 100ms to {MOST_EXPLAIN_BUDGET_SECONDS}s",
)
IMAGE_RULE: Final = ("!self.matches('\\\\s')", "an image reference has no white space")
REQUESTS_RULE: Final = (
    "!has(self.requests) || !has(self.limits) || self.requests.all(name, !(name in self.limits)"
    " || quantity(string(self.requests[name]))"
    ".compareTo(quantity(string(self.limits[name]))) <= 0)",
    "a request must not be greater than its limit",
)
STUCK_STRATEGY_RULE: Final = (
    "!(has(self.maxSurge) && (self.maxSurge == 0 || self.maxSurge == '0%')"
    " && (!has(self.maxUnavailable) || self.maxUnavailable == 0 || self.maxUnavailable == '0%'))",
    "maxSurge and maxUnavailable must not both be 0: no pod could ever be replaced",
)
DEADLINE_RULE: Final = (
    "self.progressDeadlineSeconds > self.minReadySeconds",
    "progressDeadlineSeconds must be greater than minReadySeconds",
)
IMAGE_FROM_RULE: Final = (
    "!has(self.imageFrom) || !has(self.image) || self.image == ''",
    "set image or imageFrom, not both",
)
ENV_NAME_RULE: Final = (
    "self.matches('^[A-Za-z_][A-Za-z0-9_]*$')",
    "a variable's name is made of letters, digits and '_', and does not start with a digit",
)
RESERVED_ENV_RULE: Final = (
    f"!self.startsWith('{ENV_PREFIX}')",
    "names that start with REGISSEUR_ are the operator's own",
)
ENV_VALUE_RULE: Final = (
    "!(has(self.value) && has(self.valueFrom))",
    "set value or valueFrom, not both",
)
ENV_SIZE_RULE: Final = (
    f"self.map(variable, has(variable.value) ? variable.value.size() : 0).sum() <= {MAX_VALUES}",
    f"the values of all variables together have at most {MAX_VALUES} characters: take larger ones"
    " from a ConfigMap",
)
ENV_SOURCE_RULE: Final = (
    "has(self.secretKeyRef) != has(self.configMapKeyRef)",
    "set exactly one of secretKeyRef and configMapKeyRef",
)
OBJECT_NAME_RULE: Final = (
    "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
    "the name of an object is made of lower-case letters, digits, '-' and '.'",
)
OPTIONAL_OBJECT_NAME_RULE: Final = (f"self == '' || {OBJECT_NAME_RULE[0]}", OBJECT_NAME_RULE[1])
DATA_KEY_RULE: Final = (
    "self.matches('^[-._A-Za-z0-9]+$')",
    "a key is made of letters, digits, '-', '_' and '.'",
)
LABEL_KEY_PATTERN: Final = (
    "([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
LABEL_KEY_MESSAGE: Final = (
    "a key is at most 63 letters, digits, '-', '_' and '.', starting and ending with a letter or"
    " digit; a domain and '/' may stand before it"
)
LABEL_KEY_RULE: Final = (f"self.matches('^{LABEL_KEY_PATTERN}$')", LABEL_KEY_MESSAGE)
LABEL_KEYS_RULE: Final = (
    f"self.all(key, key.matches('^{LABEL_KEY_PATTERN}$'))",
    LABEL_KEY_MESSAGE,
)
LABEL_VALUE_PATTERN: Final = "([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
LABEL_VALUE_RULE: Final = (
    f"self.matches('^{LABEL_VALUE_PATTERN}$')",
    "a value is at most 63 letters, digits, '-', '_' and '.', starting and ending with a letter or"
    " digit",
)
SELECTOR_VALUES_RULE: Final = (
    "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
    "In and NotIn need values, Exists and DoesNotExist have none",
)
MIN_DOMAINS_RULE: Final = (
    "!has(self.minDomains) || self.whenUnsatisfiable == 'DoNotSchedule'",
    "minDomains goes with whenUnsatisfiable: DoNotSchedule only",
)
OWN_LABELS_RULE: Final = (
    f"self.all(key, !key.startsWith('{OWN_PREFIX}') && !key.startsWith('{COMMON_PREFIX}'))",
    "labels under regisseur.dev/ and app.kubernetes.io/ are the operator's own",
)
OWN_ANNOTATIONS_RULE: Final = (
    f"self.all(key, !key.startsWith('{OWN_PREFIX}'))",
    "annotations under regisseur.dev/ are the operator's own",
)
ANNOTATIONS_SIZE_RULE: Final = (
    f"self.map(key, self[key].size()).sum() <= {MAX_VALUES}",
    f"the values of all annotations together have at most {MAX_VALUES} characters",
)
SECURITY_PREFIXES: Final = (
    "container.apparmor.security.beta.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
    "seccomp.security.alpha.kubernetes.io/",
)
"""The old spelling of a pod's security context."""

SECURITY_ANNOTATIONS_RULE: Final = (
    "self.all(key, "
    + " && ".join(f"!key.startsWith('{prefix}')" for prefix in SECURITY_PREFIXES)
    + ")",
    "the security of the pods is the operator's: no annotations for AppArmor or seccomp",
)
TOLERATION_KEY_RULE: Final = (
    "(has(self.key) && self.key != '') || (has(self.operator) && self.operator == 'Exists')",
    "a toleration without a key tolerates every taint: its operator must be Exists",
)
TOLERATION_VALUE_RULE: Final = (
    "!has(self.operator) || self.operator != 'Exists' || !has(self.value) || self.value == ''",
    "a toleration with the operator Exists has no value",
)
TOLERATION_SECONDS_RULE: Final = (
    "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
    "tolerationSeconds goes with the effect NoExecute only",
)
ONE_STRATEGY_RULE: Final = (
    "has(self.rollingUpdate) != has(self.recreate)",
    "set exactly one of rollingUpdate and recreate",
)
REPLICA_RANGE_RULE: Final = (
    "self.maxReplicas >= (has(self.minReplicas) ? self.minReplicas : 1)",
    "maxReplicas must not be smaller than minReplicas",
)
AUTOSCALING_RULE: Final = (
    "!has(self.autoscaling) || (has(self.serving) && has(self.serving.resources)"
    " && has(self.serving.resources.requests) && 'cpu' in self.serving.resources.requests)",
    "autoscaling needs serving.resources.requests.cpu: the utilization is a share of it",
)
