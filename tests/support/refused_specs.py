"""Specs that cannot work, each with the place and the words of its refusal.

The API server and the operator have to refuse them alike: the first answers people, the second
meets what was stored under other rules.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from regisseur_operator.api import rules

Json = dict[str, Any]


class Refused(NamedTuple):
    """A spec, where it is wrong and what is said of it."""

    id: str
    spec: Json
    place: str
    message: str


def build_spec(model: Json | None = None, **rest: Any) -> Json:
    """Return a spec that could work but for what is given."""
    return {"model": {"name": "wine", "stage": "Production", **(model or {})}, **rest}


def serving(**parts: Any) -> Json:
    """Return a spec with these parts of serving."""
    return build_spec(serving=parts)


def pods(**parts: Any) -> Json:
    """Return a spec with these parts of the pod template."""
    return serving(podTemplate=parts)


def gate(**parts: Any) -> Json:
    """Return a spec with one gate on a metric."""
    return build_spec({"gates": {"metrics": [{"name": "accuracy", **parts}]}})


def variable(name: str = "A", **parts: Any) -> Json:
    """Return a spec with one environment variable."""
    return serving(env=[{"name": name, **parts}])


def autoscaled(**parts: Any) -> Json:
    """Return a spec that scales by CPU and asks for some."""
    resources = {"requests": {"cpu": "100m"}}
    return build_spec(autoscaling=parts, serving={"resources": resources})


def spread(**parts: Any) -> Json:
    """Return a spec with one constraint on where pods go."""
    constraint = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
    return pods(topologySpreadConstraints=[{**constraint, **parts}])


def find_refused() -> Iterator[Refused]:
    """Return every spec."""
    yield from _find_models()
    yield from _find_rehearsals()
    yield from _find_servers()
    yield from _find_variables()
    yield from _find_sizes()
    yield from _find_pods()
    yield from _find_placements()
    yield from _find_rollouts()


def _find_models() -> Iterator[Refused]:
    stage, metric = "spec.model.stage", "spec.model.gates.metrics[0]"
    for word in ("Prod", "None", "production "):
        yield Refused(f"stage {word!r}", build_spec({"stage": word}), stage, rules.STAGE_RULE[1])
    yield Refused("a gate that asks nothing", gate(), metric, rules.METRIC_GATE_RULE[1])
    for age in ("5", "5 m", "-5m", "", "5d", "30s5m", "1.5ms"):
        yield Refused(
            f"an age of {age!r}",
            build_spec({"gates": {"minAge": age}}),
            "spec.model.gates.minAge",
            rules.DURATION_MESSAGE,
        )


def _find_rehearsals() -> Iterator[Refused]:
    place = "spec.rehearsal.timeout"
    for timeout in ("0s", "999ms", "25h", "999999h999999m"):
        spec = build_spec(rehearsal={"timeout": timeout})
        yield Refused(f"a timeout of {timeout}", spec, place, rules.TIMEOUT_RULE[1])
    for timeout in ("5 minutes", "0", "5", ""):
        spec = build_spec(rehearsal={"timeout": timeout})
        yield Refused(f"a timeout of {timeout!r}", spec, place, rules.DURATION_MESSAGE)


def _find_servers() -> Iterator[Refused]:
    place = "spec.serving.explain.budget"
    for budget in ("0s", "99ms", "10001ms", "1h"):
        spec = serving(explain={"budget": budget})
        yield Refused(f"a budget of {budget}", spec, place, rules.EXPLAIN_BUDGET_RULE[1])
    yield Refused("a budget of 5", serving(explain={"budget": "5"}), place, rules.DURATION_MESSAGE)
    yield Refused(
        "two images",
        serving(image="example.com/server:1", imageFrom={"modelVersionTag": "image"}),
        "spec.serving",
        rules.IMAGE_FROM_RULE[1],
    )
    yield Refused(
        "a pull secret of no name that an object can have",
        serving(imagePullSecrets=[{"name": "My Secret"}]),
        "spec.serving.imagePullSecrets[0].name",
        rules.OBJECT_NAME_RULE[1],
    )
    yield Refused(
        "a service account of no name that an object can have",
        serving(modelAccess={"serviceAccountName": "Fetcher"}),
        "spec.serving.modelAccess.serviceAccountName",
        rules.OPTIONAL_OBJECT_NAME_RULE[1],
    )
    yield Refused(
        "an annotation of the Service that is the operator's",
        build_spec(service={"annotations": {"regisseur.dev/hash": "1"}}),
        "spec.service.annotations",
        rules.OWN_ANNOTATIONS_RULE[1],
    )


def _find_variables() -> Iterator[Refused]:
    secret = {"secretKeyRef": {"name": "a", "key": "b"}}
    place = "spec.serving.env[0]"
    for name in ("1A", "A-B", "A B"):
        yield Refused(f"variable {name!r}", variable(name), f"{place}.name", rules.ENV_NAME_RULE[1])
    yield Refused(
        "a variable of the operator",
        variable("REGISSEUR_MODEL_NAME", value="x"),
        f"{place}.name",
        rules.RESERVED_ENV_RULE[1],
    )
    yield Refused(
        "a variable with two values",
        variable(value="x", valueFrom=secret),
        place,
        rules.ENV_VALUE_RULE[1],
    )
    for source in ({}, {**secret, "configMapKeyRef": {"name": "a", "key": "b"}}):
        yield Refused(
            f"a variable from {len(source)} sources",
            variable(valueFrom=source),
            f"{place}.valueFrom",
            rules.ENV_SOURCE_RULE[1],
        )
    yield Refused(
        "a key that no Secret can have",
        variable(valueFrom={"secretKeyRef": {"name": "a", "key": "b/c"}}),
        f"{place}.valueFrom.secretKeyRef.key",
        rules.DATA_KEY_RULE[1],
    )


def _find_sizes() -> Iterator[Refused]:
    long = {"a": "ß" * 16384, "b": "x" * 16384, "c": "x"}
    yield Refused(
        "variables that no revision could keep",
        serving(env=[{"name": name, "value": value} for name, value in long.items()]),
        "spec.serving.env",
        rules.ENV_SIZE_RULE[1],
    )
    for spec, place in (
        (pods(annotations=long), "spec.serving.podTemplate.annotations"),
        (build_spec(service={"annotations": long}), "spec.service.annotations"),
    ):
        yield Refused(f"more than fits at {place}", spec, place, rules.ANNOTATIONS_SIZE_RULE[1])


def _find_pods() -> Iterator[Refused]:
    place = "spec.serving.podTemplate"
    for key in ("regisseur.dev/role", "app.kubernetes.io/name"):
        yield Refused(
            f"label {key}", pods(labels={key: "x"}), f"{place}.labels", rules.OWN_LABELS_RULE[1]
        )
    yield Refused(
        "an annotation of the operator",
        pods(annotations={"regisseur.dev/digest": "x"}),
        f"{place}.annotations",
        rules.OWN_ANNOTATIONS_RULE[1],
    )
    for prefix in rules.SECURITY_PREFIXES:
        yield Refused(
            f"an annotation under {prefix}",
            pods(annotations={f"{prefix}server": "unconfined"}),
            f"{place}.annotations",
            rules.SECURITY_ANNOTATIONS_RULE[1],
        )
    for key in ("a b", "Example.com/a", "-a", "a" * 64, "example.com/"):
        spec = pods(labels={key: "x"})
        yield Refused(f"label key {key!r}", spec, f"{place}.labels", rules.LABEL_KEYS_RULE[1])
    yield Refused(
        "a label value with a space",
        pods(nodeSelector={"disk": "very fast"}),
        f"{place}.nodeSelector[disk]",
        rules.LABEL_VALUE_RULE[1],
    )


def _find_placements() -> Iterator[Refused]:
    taint, place = "spec.serving.podTemplate.tolerations[0]", "topologySpreadConstraints[0]"
    place = f"spec.serving.podTemplate.{place}"
    for toleration, where, message in (
        ({}, taint, rules.TOLERATION_KEY_RULE[1]),
        ({"key": "a b"}, f"{taint}.key", rules.LABEL_KEY_RULE[1]),
        ({"key": "a", "operator": "Exists", "value": "b"}, taint, rules.TOLERATION_VALUE_RULE[1]),
        ({"key": "a", "tolerationSeconds": 5}, taint, rules.TOLERATION_SECONDS_RULE[1]),
    ):
        yield Refused(f"toleration {toleration}", pods(tolerations=[toleration]), where, message)
    yield Refused(
        "domains that nobody waits for", spread(minDomains=2), place, rules.MIN_DOMAINS_RULE[1]
    )
    for term in ({"operator": "In"}, {"operator": "Exists", "values": ["x"]}):
        selector = {"matchExpressions": [{"key": "a", **term}]}
        yield Refused(
            f"a selector with {term['operator']}",
            spread(labelSelector=selector),
            f"{place}.labelSelector.matchExpressions[0]",
            rules.SELECTOR_VALUES_RULE[1],
        )


def _find_rollouts() -> Iterator[Refused]:
    strategies: list[Json] = [{}, {"rollingUpdate": {}, "recreate": {}}]
    for strategy in strategies:
        yield Refused(
            f"{len(strategy)} strategies",
            build_spec(strategy=strategy),
            "spec.strategy",
            rules.ONE_STRATEGY_RULE[1],
        )
    for share in ("101%", "150%", "999%"):
        yield Refused(
            f"{share} of the pods missing",
            build_spec(strategy={"rollingUpdate": {"maxUnavailable": share}}),
            "spec.strategy.rollingUpdate.maxUnavailable",
            rules.AT_MOST_ALL_RULE[1],
        )
    for bounds in ({"minReplicas": 3, "maxReplicas": 2}, {"maxReplicas": 0}):
        is_range = "minReplicas" in bounds
        yield Refused(
            f"autoscaling {bounds}",
            autoscaled(**bounds),
            "spec.autoscaling" if is_range else "spec.autoscaling.maxReplicas",
            rules.REPLICA_RANGE_RULE[1] if is_range else "greater than or equal to 1",
        )
    for resources in ({}, {"resources": {"requests": {"memory": "1Gi"}}}):
        yield Refused(
            f"autoscaling without a request for CPU {resources}",
            build_spec(autoscaling={"maxReplicas": 2}, serving=resources),
            "spec",
            rules.AUTOSCALING_RULE[1],
        )
    for name, value in (
        ("rollbackTo", 0),
        ("revisionHistoryLimit", 0),
        ("revisionHistoryLimit", 51),
    ):
        yield Refused(
            f"{name} {value}",
            {**build_spec(), name: value},
            f"spec.{name}",
            "greater than or equal to 1" if value == 0 else "less than or equal to 50",
        )
