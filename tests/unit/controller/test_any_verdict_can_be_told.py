"""A verdict is written by somebody's own image: no text of it stops a reconcile."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regisseur_contract.names import CONTAINER_REHEARSE
from regisseur_operator.api.status import Lineage, ModelDeploymentStatus, Rehearsal, parse_status
from regisseur_operator.core.pods import ContainerFacts, RehearsalPod
from regisseur_operator.core.rehearsal import judge_rehearsal
from regisseur_operator.core.trial import Trial
from support.pod_parts import DIGEST, build_inputs, build_observed

pytestmark = pytest.mark.timeout(20, func_only=True)
"""Random examples take a while on a busy machine."""

QUIETLY = settings(deadline=None, derandomize=True)

OBSERVED = build_observed()
TRIAL = Trial("abc-def", build_inputs(), Lineage(), "", "", 300.0, "Minor", "Compatible")

Values = st.SearchStrategy[Any]

CHARACTERS = 'aä\U0001f37a\\"\x00\n\ud800\udfff'
TEXTS = st.text(alphabet=CHARACTERS, max_size=40) | st.builds(
    lambda text, times: text * times, st.text(alphabet=CHARACTERS, max_size=4), st.just(2000)
)
ANYTHING: Values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=6,
)
WORDS = st.sampled_from(["Passed", "LoadFailed", "Novel"])
FIGURES = st.integers(min_value=0, max_value=2**53) | st.floats(min_value=0, max_value=2**53)


def build_verdicts(text: Values, lines: Values, figure: Values) -> Values:
    """Return documents that name the fields of a verdict."""
    names = ("message", "signature", "engine", "engine_reason", "explanations", "explain_reason")
    fields = dict.fromkeys(names, text)
    figures = ("bytes", "seconds", "latency_seconds", "memory_bytes")
    return st.fixed_dictionaries(
        {"word": WORDS | text, "digest": st.just(DIGEST) | text},
        optional={**fields, "requirements": lines, **dict.fromkeys(figures, figure)},
    )


WELL_FORMED = build_verdicts(TEXTS, st.lists(TEXTS) | st.just(["numpy"] * 90), FIGURES)
DOCUMENTS = WELL_FORMED | build_verdicts(ANYTHING, ANYTHING, ANYTHING) | ANYTHING
MESSAGES = st.text(max_size=60) | DOCUMENTS.map(json.dumps)


def judge(message: str, phase: str) -> Rehearsal:
    main = ContainerFacts(CONTAINER_REHEARSE, exit_code=0, exit_message=message)
    pod = RehearsalPod("wine-rehearsal", "uid", TRIAL.key, "3", phase=phase, rehearse=main)
    return judge_rehearsal(replace(OBSERVED, rehearsal_pod=pod), TRIAL)


def write_and_read(rehearsal: Rehearsal) -> Rehearsal | None:
    manifest = ModelDeploymentStatus(rehearsal=rehearsal).to_manifest()
    written = json.dumps(manifest, ensure_ascii=False, allow_nan=False).encode()
    return parse_status({"status": json.loads(written)}).rehearsal


@QUIETLY
@given(message=MESSAGES, phase=st.sampled_from(["Running", "Succeeded", "Failed"]))
def test_whatever_an_image_says_can_be_written_to_the_status(message: str, phase: str) -> None:
    rehearsal = judge(message, phase)

    assert write_and_read(rehearsal) == rehearsal


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"requirements": ["numpy"] * 100}, id="more lines than a status takes"),
        pytest.param({"message": "\ud800"}, id="half a character in the message"),
        pytest.param({"signature": "\udfff"}, id="half a character in the signature"),
        pytest.param({"requirements": ["\ud800"]}, id="half a character in a line"),
        pytest.param({"message": "m" * 40_000}, id="a message longer than a status takes"),
    ],
)
@pytest.mark.parametrize("word", ["Passed", "LoadFailed"])
def test_an_odd_text_is_no_other_verdict(said: dict[str, Any], word: str) -> None:
    rehearsal = judge(json.dumps({"word": word, "digest": DIGEST, **said}), "Succeeded")

    assert rehearsal.state == ("Passed" if word == "Passed" else "Failed")
    assert write_and_read(rehearsal) == rehearsal
