"""What the status says of the rehearsal of a version."""

from pydantic import Field

from regisseur_operator.api.fields import Int32, Int64, StatusModel, Timestamp


class RehearsalFacts(StatusModel):
    """What a rehearsal measured."""

    digest: str = Field(
        default="", max_length=256, description="Digest of the model's files, as they were found."
    )
    bytes: Int64 = Field(default=0, description="Size of the model's files.")
    seconds: float = Field(default=0.0, description="How long it took, without the download.")
    requirements: list[str] = Field(
        default_factory=list,
        max_length=64,
        description="Where the image differs from the requirements of the model, a line each.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    signature: str = Field(
        default="", description="What the comparison with the served version's signature said."
    )
    latency_seconds: float = Field(
        default=0.0,
        description="Time of a warm prediction of the input example; 0 for a model without one.",
    )
    memory_bytes: Int64 = Field(
        default=0,
        description="Most memory that the process held, and the one that explains beside it.",
    )
    engine: str = Field(
        default="",
        max_length=64,
        description="What makes the predictions, Native or ONNX; empty where the image does not"
        " say.",
    )
    engine_reason: str = Field(
        default="",
        max_length=1024,
        description="Why that is not spec.serving.engine; empty where it is.",
    )
    explanations: str = Field(
        default="",
        max_length=64,
        description="How predictions are explained: tree, linear or permutation; empty where they"
        " are not.",
    )
    explain_reason: str = Field(
        default="",
        max_length=1024,
        description="Why they are not, although spec.serving.explain asks for it; else empty.",
    )


class Rehearsal(StatusModel):
    """The check of a version in a pod of its own."""

    version: Int64 = Field(description="Model version that is, or was, rehearsed.")
    key: str = Field(
        max_length=256,
        description="What was tried: the version and the parts of the spec that matter to it.",
    )
    state: str = Field(description="How far it has come: Running, Passed, Failed or Held.")
    verdict: str = Field(
        default="",
        max_length=1024,
        description="What it came to, one word: RehearsalPassed, what the version is rejected for,"
        " or what holds the rehearsal up.",
    )
    message: str = Field(
        default="", max_length=32768, description="What happened and what to do about it."
    )
    facts: RehearsalFacts | None = Field(default=None, description="What it measured.")
    pod_uid: str = Field(
        default="", max_length=64, description="Which pod it was judged by; empty until then."
    )
    attempts: Int32 = Field(
        default=0, description="How often it was judged, or spoilt by its surroundings."
    )
    started_at: Timestamp | None = Field(default=None, description="When its pod was made.")
    finished_at: Timestamp | None = Field(default=None, description="When it was judged.")
