"""What CEL asks of a ModelDeployment: expressions for the API server, messages for people.

A rule is written twice, here as CEL and at its model as a validator: the API server is the one
that answers people, the validator holds for objects stored before the rule existed.
"""

from typing import Any, Final

VALIDATIONS: Final = "x-kubernetes-validations"


def cel(*rules: tuple[str, str]) -> dict[str, Any]:
    """Schema keyword for CEL rules, each an expression and the message that people read."""
    return {VALIDATIONS: [{"rule": rule, "message": message} for rule, message in rules]}


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
IMAGE_RULE: Final = ("!self.matches('\\\\s')", "an image reference has no white space")
REQUESTS_RULE: Final = (
    "!has(self.requests) || !has(self.limits) || self.requests.all(name, !(name in self.limits)"
    " || quantity(string(self.requests[name]))"
    ".compareTo(quantity(string(self.limits[name]))) <= 0)",
    "a request must not be greater than its limit",
)
STUCK_STRATEGY_RULE: Final = (
    "!((self.maxSurge == 0 || self.maxSurge == '0%')"
    " && (self.maxUnavailable == 0 || self.maxUnavailable == '0%'))",
    "maxSurge and maxUnavailable must not both be 0: no pod could ever be replaced",
)
DEADLINE_RULE: Final = (
    "self.progressDeadlineSeconds > self.minReadySeconds",
    "progressDeadlineSeconds must be greater than minReadySeconds",
)
