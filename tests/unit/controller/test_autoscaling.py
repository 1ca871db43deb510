"""Handing the number of pods over to an autoscaler and back never drops a pod that is needed."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regisseur_operator.api.v1alpha1 import Autoscaling, ModelDeploymentSpec
from regisseur_operator.core.autoscaling import (
    AutoscalerFacts,
    autoscaler_floor,
    observe_autoscaler,
    wanted_replicas,
)
from support.fake_autoscaler import FakeAutoscaler

Bounds = tuple[int, int]
Step = tuple[Any, ...]

INFORMED = AutoscalerFacts(min_replicas=1, is_informed=True, asked=4)
UNINFORMED = AutoscalerFacts(min_replicas=4, is_informed=False, asked=4)


def build_spec(replicas: int, bounds: Bounds | None) -> ModelDeploymentSpec:
    document: dict[str, Any] = {
        "model": {"name": "wine", "stage": "Production"},
        "serving": {"resources": {"requests": {"cpu": "50m"}}},
        "replicas": replicas,
    }
    if bounds is not None:
        document["autoscaling"] = {"minReplicas": bounds[0], "maxReplicas": bounds[1]}
    return ModelDeploymentSpec.model_validate(document)


def autoscaling_of(spec: ModelDeploymentSpec) -> Autoscaling:
    assert spec.autoscaling is not None
    return spec.autoscaling


@pytest.mark.parametrize(
    ("replicas", "bounds", "autoscaler", "live", "wanted"),
    [
        pytest.param(3, None, None, 5, 3, id="without autoscaling the spec is all that counts"),
        pytest.param(1, (2, 8), None, None, 2, id="the first pods are the fewest allowed"),
        pytest.param(5, (2, 8), None, None, 5, id="the first pods are as many as were asked for"),
        pytest.param(1, (1, 8), None, 4, 4, id="switched on by an apply that resets replicas"),
        pytest.param(1, (1, 8), UNINFORMED, 4, 4, id="an autoscaler that knows no load yet"),
        pytest.param(6, (1, 8), UNINFORMED, 4, 6, id="more asked for than there are"),
        pytest.param(4, (1, 8), INFORMED, 4, 4, id="at rest"),
        pytest.param(6, (1, 8), INFORMED, 4, 6, id="the autoscaler wrote more a moment ago"),
        pytest.param(1, (1, 8), INFORMED, 4, 4, id="an apply reset what the autoscaler asks for"),
        pytest.param(4, (1, 8), INFORMED, 6, 4, id="the autoscaler asks for less"),
        pytest.param(4, (1, 3), INFORMED, 4, 3, id="the most allowed was lowered"),
        pytest.param(4, (6, 8), INFORMED, 4, 6, id="the fewest allowed was raised"),
        pytest.param(1, (1, 3), None, 5, 3, id="more run than autoscaling allows"),
        pytest.param(0, (1, 8), INFORMED, 4, 0, id="none at all is a person's word"),
    ],
)
def test_the_number_of_pods(
    replicas: int,
    bounds: Bounds | None,
    autoscaler: AutoscalerFacts | None,
    live: int | None,
    wanted: int,
) -> None:
    assert wanted_replicas(build_spec(replicas, bounds), autoscaler, live) == wanted


@pytest.mark.parametrize(
    ("autoscaler", "live", "floor"),
    [
        pytest.param(None, None, 2, id="nothing runs"),
        pytest.param(None, 5, 5, id="it is made beside pods that run"),
        pytest.param(UNINFORMED, 5, 5, id="it knows no load yet"),
        pytest.param(UNINFORMED, 1, 2, id="fewer run than allowed"),
        pytest.param(UNINFORMED, 12, 8, id="more run than allowed"),
        pytest.param(INFORMED, 5, 2, id="it knows the load"),
    ],
)
def test_the_floor_of_the_autoscaler(
    autoscaler: AutoscalerFacts | None, live: int | None, floor: int
) -> None:
    assert autoscaler_floor(autoscaling_of(build_spec(1, (2, 8))), autoscaler, live) == floor


def test_a_fresh_autoscaler_knows_nothing() -> None:
    facts = observe_autoscaler({"spec": {"minReplicas": 3, "maxReplicas": 5}})

    assert facts == AutoscalerFacts(min_replicas=3, is_informed=False, asked=0)


def active(status: str, message: str = "") -> dict[str, str]:
    return {"type": "ScalingActive", "status": status, "message": message}


CPU = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 40}}}


@pytest.mark.parametrize(
    ("condition", "metrics", "is_informed"),
    [
        pytest.param(active("True"), [CPU], True, id="it has looked at the load"),
        pytest.param(active("True"), [], False, id="it has raised to its minimum without a look"),
        pytest.param(active("True"), [{"type": ""}], False, id="its metric has no contents"),
        pytest.param(active("False", "no metrics"), [CPU], False, id="it cannot read the load"),
    ],
)
def test_it_is_informed_once_it_has_read_the_load(
    condition: dict[str, str], metrics: list[Any], *, is_informed: bool
) -> None:
    status = {"conditions": [condition], "currentMetrics": metrics, "desiredReplicas": 2}

    assert observe_autoscaler({"spec": {}, "status": status}).is_informed is is_informed


@pytest.mark.parametrize("kind", ["ScalingActive", "AbleToScale"])
def test_why_it_does_not_scale_is_said_in_its_own_words(kind: str) -> None:
    conditions = [
        {"type": "ScalingLimited", "status": "False", "message": "within range"},
        {"type": kind, "status": "False", "message": "unable to get metrics"},
    ]

    facts = observe_autoscaler({"spec": {}, "status": {"conditions": conditions}})

    assert facts.inactive == "unable to get metrics"


# ---- whatever happens, in whatever order ---------------------------------------------------------


@dataclass
class Handover:
    """A ModelDeployment's numbers, its autoscaler, and who meant which number.

    Attributes:
        meant: The last number that a person or an autoscaler that knows the load asked for.
    """

    replicas: int = 4
    bounds: Bounds | None = None
    autoscaler: FakeAutoscaler | None = None
    live: int = 4
    meant: int = 4
    load: float | None = None

    def reconcile(self) -> None:
        """Do what the operator does, and see that no pod goes that was meant to stay."""
        spec, facts = build_spec(self.replicas, self.bounds), self._observe()
        wanted = wanted_replicas(spec, facts, self.live)
        assert wanted >= min(self.live, self._allowed(self.meant))
        if spec.autoscaling is None:
            self.autoscaler = None
        else:
            floor = autoscaler_floor(spec.autoscaling, facts, self.live)
            limits = {"minReplicas": floor, "maxReplicas": spec.autoscaling.max_replicas}
            self.autoscaler = self.autoscaler or FakeAutoscaler(limits)
            self.autoscaler.spec = limits
        self.live = wanted

    def take(self, step: Step) -> None:
        """Let one thing happen."""
        match step:
            case ("reconcile",):
                self.reconcile()
            case ("autoscaler looks",):
                self._let_autoscaler_look()
            case ("five minutes pass",) if self.autoscaler is not None:
                self._let_autoscaler_look()
                self.autoscaler.forget()
            case ("load", load):
                self.load = load
            case ("switch on", (int(least), int(span)), bool(is_reset)):
                self._switch_on((least, least + span), is_reset=is_reset)
            case ("reset",) if self.bounds is not None and self.replicas != 0:
                self.replicas = 1
            case ("switch off", int(replicas)):
                self.bounds, self.replicas, self.meant = None, replicas, replicas
            case ("scale", int(replicas)) if self.bounds is None or 0 in (replicas, self.replicas):
                self.replicas = self.meant = replicas

    def settle(self) -> None:
        """Go on until the autoscaler and the operator have nothing more to do."""
        for _ in range(4):
            self.reconcile()
            self._let_autoscaler_look()
            self.reconcile()

    def _switch_on(self, bounds: Bounds, *, is_reset: bool) -> None:
        self.bounds = bounds
        if is_reset and self.replicas != 0:
            self.replicas = 1

    def _let_autoscaler_look(self) -> None:
        if self.autoscaler is None or self.bounds is None:
            return
        self.replicas = self.autoscaler.look(self.replicas, self.live, self.load)
        if self._is_informed:
            # The pods that run are just right for the load: the number it found may say less.
            needed = self.live if self.load == self.live else 0
            self.meant = max(self.replicas, needed)

    @property
    def _is_informed(self) -> bool:
        facts = self._observe()
        return facts is not None and facts.is_informed

    def _observe(self) -> AutoscalerFacts | None:
        return observe_autoscaler(self.autoscaler.manifest) if self.autoscaler else None

    def _allowed(self, number: int) -> int:
        if self.bounds is None or self.replicas == 0:
            return min(number, self.replicas)
        return min(number, self.bounds[1])


RECONCILE, LOOK, RESET = ("reconcile",), ("autoscaler looks",), ("reset",)
BOUNDS = st.tuples(st.integers(1, 6), st.integers(0, 6))
LOADS = st.one_of(st.none(), st.integers(0, 9).map(float))
OFTEN = st.sampled_from([RECONCILE, LOOK])
SELDOM = st.one_of(
    st.sampled_from([RESET, ("five minutes pass",), ("load", 4.0)]),
    st.tuples(st.just("load"), LOADS),
    st.tuples(st.just("switch on"), BOUNDS, st.booleans()),
    st.tuples(st.just("switch off"), st.integers(0, 9)),
    st.tuples(st.just("scale"), st.integers(0, 9)),
)
STEPS = st.one_of(OFTEN, SELDOM)


@pytest.mark.timeout(60)
@given(steps=st.lists(STEPS, max_size=30), is_autoscaled=st.booleans())
@example(steps=[("switch on", (1, 7), True), RECONCILE, LOOK], is_autoscaled=False)
@example(steps=[RESET, RECONCILE, LOOK, RECONCILE], is_autoscaled=True)
@example(steps=[("load", None), LOOK, RESET, RECONCILE, LOOK], is_autoscaled=True)
@example(steps=[("switch off", 3), RECONCILE, ("switch on", (1, 7), True)], is_autoscaled=True)
@settings(max_examples=2000, deadline=None, derandomize=True)
def test_no_order_of_events_drops_a_pod_that_was_asked_for(
    steps: list[Step], *, is_autoscaled: bool
) -> None:
    handover = Handover(load=4.0)
    if is_autoscaled:
        handover.take(("switch on", (1, 8), False))
        handover.settle()
    for step in steps:
        handover.take(step)
    handover.reconcile()


@pytest.mark.timeout(60)
@given(steps=st.lists(STEPS, max_size=20), load=st.floats(min_value=0.5, max_value=8.0))
@settings(max_examples=500, deadline=None, derandomize=True)
def test_in_the_end_the_autoscaler_has_its_way(steps: list[Step], load: float) -> None:
    handover = Handover()
    for step in steps:
        handover.take(step)
    handover.take(("scale", 1))
    handover.take(("switch on", (2, 6), False))
    handover.take(("load", load))
    handover.settle()

    assert handover.autoscaler is not None
    assert handover.live == handover.replicas == handover.autoscaler.asked
    assert handover.autoscaler.spec == {"minReplicas": 2, "maxReplicas": 8}
