"""The verdict of a rehearsal: what the serving image writes and the operator reads.

It is the termination message of the rehearsal's container, so it has to fit into what the kubelet
keeps of one. A container that ends without a verdict was killed, or ended before it could judge.
"""

import json
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Final

LONGEST_VERDICT_BYTES: Final = 4096
"""What the kubelet keeps of a termination message."""

LONGEST_MESSAGE: Final = 1000
LONGEST_LISTED: Final = 20


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
        message: What is wrong and what to do, for people; empty when nothing is.
        digest: Canonical digest of the model folder.
        bytes: Size of the model folder.
        seconds: How long the rehearsal took, the download left out.
        requirements: What differs between the model's requirements and the image, a line each.
        signature: What the comparison with the served version's signature said.
        latency_seconds: Quickest of a few warm predictions of the input example; 0 without one.
        memory_bytes: Most memory that the process held.
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

    @property
    def has_passed(self) -> bool:
        """Whether the version may meet traffic."""
        return self.word == Word.PASSED


def write_verdict(verdict: RehearsalVerdict) -> str:
    """Return the verdict as JSON that fits into a termination message."""
    body = asdict(verdict)
    body["requirements"] = list(verdict.requirements[:LONGEST_LISTED])
    body["message"] = verdict.message[:LONGEST_MESSAGE]
    while len(_dump(body).encode("utf-8", "replace")) > LONGEST_VERDICT_BYTES:
        if body["requirements"]:
            body["requirements"].pop()
        else:
            body["message"] = body["message"][: len(body["message"]) // 2]
            body["signature"] = body["signature"][: len(body["signature"]) // 2]
    return _dump(body)


def parse_verdict(text: str) -> RehearsalVerdict | None:
    """Read a verdict back; None where the text is none."""
    try:
        body = json.loads(text)
        known = {entry.name for entry in fields(RehearsalVerdict)}
        found: dict[str, Any] = {name: value for name, value in body.items() if name in known}
        found["requirements"] = tuple(str(line) for line in found.get("requirements", ()))
        return RehearsalVerdict(**found) if isinstance(found["word"], str) else None
    except (ValueError, TypeError, AttributeError, KeyError):
        return None


def _dump(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
