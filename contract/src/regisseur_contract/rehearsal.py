"""The verdict of a rehearsal: what the serving image writes and the operator reads.

It is the termination message of the rehearsal's container, so it has to fit into what the kubelet
keeps of one. A container that ends without a verdict was killed, or ended before it could judge.
"""

import json
import re
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Final

LONGEST_VERDICT_BYTES: Final = 4096
"""What the kubelet keeps of a termination message."""

LONGEST_MESSAGE: Final = 1000
LONGEST_WORD: Final = 64
LONGEST_ENGINE_REASON: Final = 300
LONGEST_EXPLAIN_REASON: Final = 200
LONGEST_LISTED: Final = 20

_LONGEST: Final = {
    "word": LONGEST_WORD,
    "message": LONGEST_MESSAGE,
    "digest": LONGEST_MESSAGE,
    "signature": LONGEST_MESSAGE,
    "engine": LONGEST_WORD,
    "engine_reason": LONGEST_ENGINE_REASON,
    "explanations": LONGEST_WORD,
    "explain_reason": LONGEST_EXPLAIN_REASON,
}
"""Of each text, in characters."""

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_MOST: Final = 2**53
"""More than any size or time can be, and less than a JSON number can be exact for."""


class Word(StrEnum):
    """What a rehearsal came to, in one word; everything but PASSED is the version's own fault."""

    PASSED = "Passed"
    DIGEST_MISMATCH = "DigestMismatch"
    ARTIFACT_INVALID = "ArtifactInvalid"
    REQUIREMENTS_MISMATCH = "RequirementsMismatch"
    SIGNATURE_INCOMPATIBLE = "SignatureIncompatible"
    LOAD_FAILED = "LoadFailed"
    PREDICTION_FAILED = "PredictionFailed"


class RequirementsMode(StrEnum):
    """How a model's requirements bind the image: a pin literally, any patch of it, or not."""

    STRICT = "Strict"
    MINOR = "Minor"
    IGNORE = "Ignore"


class SignatureRule(StrEnum):
    """Whether the served version's callers must be able to stay."""

    COMPATIBLE = "Compatible"
    ANY = "Any"


@dataclass(frozen=True)
class RehearsalVerdict:
    """What a rehearsal found out.

    Attributes:
        word: One of `Word`; a newer image may know more words.
        message: What is wrong and what to do, for people; on a pass, what was not tried.
        digest: Canonical digest of the model folder.
        bytes: Size of the model folder.
        seconds: How long the rehearsal took, the download left out.
        requirements: What differs between the model's requirements and the image, a line each.
        signature: What the comparison with the served version's signature said.
        latency_seconds: Quickest of a few warm predictions of the input example; 0 without one.
        memory_bytes: Most memory that the process held, and the one that explains beside it.
        engine: What will make the predictions; empty from an image that knows of one only.
        engine_reason: Why that is not the engine that was asked for; empty when it is.
        explanations: The method by which predictions are explained; empty where they are not.
        explain_reason: Why they are not, although that was asked for; empty when they are.
    """

    word: str
    message: str = ""
    digest: str = ""
    bytes: int = 0
    seconds: float = 0.0
    requirements: tuple[str, ...] = ()
    signature: str = ""
    latency_seconds: float = 0.0
    memory_bytes: int = 0
    engine: str = ""
    engine_reason: str = ""
    explanations: str = ""
    explain_reason: str = ""

    @property
    def has_passed(self) -> bool:
        """Whether the version may meet traffic."""
        return self.word == Word.PASSED


def write_verdict(verdict: RehearsalVerdict) -> str:
    """Return the verdict as JSON that fits into a termination message."""
    body = asdict(verdict)
    body["requirements"] = list(verdict.requirements[:LONGEST_LISTED])
    body["message"] = verdict.message[:LONGEST_MESSAGE]
    body["signature"] = verdict.signature[:LONGEST_MESSAGE]
    body["engine_reason"] = verdict.engine_reason[:LONGEST_ENGINE_REASON]
    body["explain_reason"] = verdict.explain_reason[:LONGEST_EXPLAIN_REASON]
    while len(_dump(body).encode("utf-8", "replace")) > LONGEST_VERDICT_BYTES:
        if body["requirements"]:
            body["requirements"].pop()
        else:
            body["message"] = body["message"][: len(body["message"]) // 2]
            body["signature"] = body["signature"][: len(body["signature"]) // 2]
    return _dump(body)


def parse_verdict(text: str) -> RehearsalVerdict | None:
    """Read a verdict back; None where the text is none.

    The model's own code can write that text, and an image of somebody's own: nothing in it is taken
    on trust, and nothing has passed whose files are not named. What is too long is cut to what
    `write_verdict` writes, so that whatever comes back can be told.
    """
    try:
        body = json.loads(text)
        known = {entry.name for entry in fields(RehearsalVerdict)}
        found: dict[str, Any] = {name: value for name, value in body.items() if name in known}
        found["requirements"] = _take_lines(found.get("requirements", []))
        for name, longest in _LONGEST.items():
            found[name] = _take_text(found.get(name, ""))[:longest]
        for name in ("seconds", "latency_seconds"):
            found[name] = float(_take_number(found.get(name, 0.0)))
        for name in ("bytes", "memory_bytes"):
            found[name] = int(_take_number(found.get(name, 0)))
        verdict = RehearsalVerdict(**found)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    is_pinned = bool(_DIGEST.fullmatch(verdict.digest))
    is_sound = is_pinned or (not verdict.digest and not verdict.has_passed)
    return verdict if verdict.word and is_sound else None


def _take_text(value: object) -> str:
    """Return a text that can be sent: JSON can spell half a character, UTF-8 cannot."""
    if not isinstance(value, str):
        raise TypeError
    return value[:LONGEST_MESSAGE].encode("utf-8", "replace").decode()


def _take_lines(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(_take_text(line) for line in value[:LONGEST_LISTED])


def _take_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    if not 0 <= value <= _MOST:  # not so for NaN either
        raise ValueError
    return value


def _dump(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
