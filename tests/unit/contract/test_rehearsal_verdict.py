"""The verdict gets through a termination message, whatever it holds."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regisseur_contract.rehearsal import (
    LONGEST_LISTED,
    LONGEST_MESSAGE,
    LONGEST_VERDICT_BYTES,
    LONGEST_WORD,
    RehearsalVerdict,
    Word,
    parse_verdict,
    write_verdict,
)

pytestmark = pytest.mark.timeout(20, func_only=True)
"""Random examples take a while on a busy machine."""

QUIETLY = settings(deadline=None, derandomize=True)


def test_a_verdict_is_read_as_it_was_written() -> None:
    verdict = RehearsalVerdict(
        word=Word.REQUIREMENTS_MISMATCH,
        message="numpy==1.0, the image has 2.4.6",
        digest=f"sha256:{'0' * 64}",
        bytes=7,
        seconds=1.5,
        requirements=("numpy==1.0, the image has 2.4.6",),
        signature="compatible",
        latency_seconds=0.001,
        memory_bytes=8,
        engine="Native",
        engine_reason="the model takes text",
        explanations="tree",
        explain_reason="the image has no library for it",
    )
    assert parse_verdict(write_verdict(verdict)) == verdict


def test_a_verdict_of_an_image_that_knows_one_engine_is_read() -> None:
    body = json.loads(write_verdict(RehearsalVerdict(word=Word.LOAD_FAILED)))
    later = ("engine", "engine_reason", "explanations", "explain_reason")
    read = parse_verdict(json.dumps({key: body[key] for key in body if key not in later}))
    assert read is not None
    assert [getattr(read, name) for name in later] == [""] * 4


@QUIETLY
@given(
    message=st.text(alphabet=st.characters(), max_size=2000),
    requirements=st.lists(st.text(max_size=300), max_size=40),
    signature=st.text(alphabet='ä\U0001f37a\\"\x00\ud800', max_size=6000),
    reason=st.text(alphabet='\U0001f37a"\x00', max_size=400),
)
def test_a_verdict_fits_into_a_termination_message(
    message: str, requirements: list[str], signature: str, reason: str
) -> None:
    verdict = RehearsalVerdict(
        word=Word.LOAD_FAILED,
        message=message,
        requirements=tuple(requirements),
        signature=signature,
        engine_reason=reason,
        explain_reason=reason,
    )
    written = write_verdict(verdict).encode("utf-8", "replace")
    assert len(written) <= LONGEST_VERDICT_BYTES
    read = parse_verdict(written.decode())
    assert read is not None
    assert read.word == Word.LOAD_FAILED
    assert not read.has_passed


@pytest.mark.parametrize(
    "text",
    [
        *("", "killed", "[]", "null", "{}", '{"word": 1}', '{"word": ""}', "[" * 5000),
        *('{"word": "Novel", "requirements": 1}', '{"word": "Novel", "requirements": [1]}'),
        *('{"word": "Novel", "bytes": "x"}', '{"word": "Novel", "bytes": -1}'),
        *('{"word": "Novel", "seconds": NaN}', '{"word": "Novel", "memory_bytes": true}'),
        *('{"word": "Novel", "digest": null}', '{"word": "Novel", "digest": "sha256:short"}'),
        pytest.param('{"word": "Passed"}', id="a pass that names no files"),
    ],
)
def test_what_is_no_verdict_is_none(text: str) -> None:
    assert parse_verdict(text) is None


def test_a_newer_image_may_say_more() -> None:
    read = parse_verdict('{"word": "Novel", "message": "m", "what_is_this": 1}')
    assert read == RehearsalVerdict(word="Novel", message="m")


def test_what_is_longer_than_a_status_takes_is_cut() -> None:
    digest = f"sha256:{'0' * 64}"
    said = {
        "word": "N" * 5000,
        "message": "m" * 5000,
        "digest": digest,
        "requirements": ["r" * 5000] * 100,
        "signature": "s" * 5000,
    }

    read = parse_verdict(json.dumps(said))

    assert read == RehearsalVerdict(
        word="N" * LONGEST_WORD,
        message="m" * LONGEST_MESSAGE,
        digest=digest,
        requirements=("r" * LONGEST_MESSAGE,) * LONGEST_LISTED,
        signature="s" * LONGEST_MESSAGE,
    )


def test_half_a_character_is_replaced() -> None:
    said = r'{"word": "N\ud800", "message": "\ud800m", "signature": "\udfff", "requirements": '
    read = parse_verdict(said + r'["\ud800"]}')
    assert read == RehearsalVerdict(word="N?", message="?m", signature="?", requirements=("?",))
