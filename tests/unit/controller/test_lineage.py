"""Where a version comes from, as the registry tells it."""

import math

import pytest

from regisseur_contract.tags import TAG_DATA_VERSION, TAG_DIGEST, TAG_GIT_SHA
from regisseur_operator.core.lineage import LONGEST_NOTE, MOST_METRICS, read_digest, trace_lineage
from regisseur_operator.core.registry import EMPTY_RUN, ModelVersion, Run


def build_version(**tags: str) -> ModelVersion:
    return ModelVersion("wine", 1, "Production", "READY", "run-1", "models:/m-1", tags=tags)


def test_nothing_noted_is_nothing_known() -> None:
    assert trace_lineage(build_version(), EMPTY_RUN, ()) is None


def test_the_version_says_it_before_its_run() -> None:
    run = Run(tags={TAG_GIT_SHA: "of-the-run", TAG_DATA_VERSION: "data-of-the-run"})

    lineage = trace_lineage(build_version(**{TAG_GIT_SHA: "of-the-version"}), run, ())

    assert lineage is not None
    assert lineage.git_sha == "of-the-version"
    assert lineage.data_version == "data-of-the-run"


def test_metrics_are_finite_sorted_and_few() -> None:
    metrics = {f"m{number:02}": float(number) for number in reversed(range(MOST_METRICS + 9))}

    lineage = trace_lineage(
        build_version(), Run({**metrics, "a": math.nan, "b": math.inf, "c": -math.inf}), ()
    )

    assert lineage is not None
    assert list(lineage.metrics) == [f"m{number:02}" for number in range(MOST_METRICS)]


def test_metrics_that_gates_ask_for_are_kept_before_all_others() -> None:
    metrics = {f"m{number:02}": float(number) for number in range(MOST_METRICS)}

    lineage = trace_lineage(build_version(), Run({**metrics, "z_accuracy": 0.9}), {"z_accuracy"})

    assert lineage is not None
    assert len(lineage.metrics) == MOST_METRICS
    assert lineage.metrics["z_accuracy"] == 0.9
    assert list(lineage.metrics) == sorted(lineage.metrics)


@pytest.mark.parametrize(
    ("tag", "digest"),
    [
        pytest.param("sha256:9f86", "sha256:9f86", id="a digest"),
        pytest.param(" sha256:9f86\n", "sha256:9f86", id="with space around it"),
        pytest.param("", "", id="an empty one"),
        pytest.param("x" * 100_000, "x" * LONGEST_NOTE, id="what is none is no status's trouble"),
    ],
)
def test_the_digest_that_training_noted(tag: str, digest: str) -> None:
    assert read_digest(build_version(**{TAG_DIGEST: tag})) == digest


def test_no_digest_was_noted() -> None:
    assert read_digest(build_version()) == ""


def test_a_long_note_is_cut() -> None:
    lineage = trace_lineage(build_version(**{TAG_GIT_SHA: "x" * 100_000}), EMPTY_RUN, ())

    assert lineage is not None
    assert lineage.git_sha == "x" * LONGEST_NOTE
