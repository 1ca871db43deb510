"""Settings of `serve`."""

from dataclasses import fields
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from regisseur_contract.engines import Engine
from regisseur_contract.http import ADMIN_PORT, PORT
from regisseur_contract.runtime import (
    DRAIN_SECONDS,
    ENV_PREFIX,
    MODEL_DIR,
)
from regisseur_serving.settings.limits import Limits

_LIMITS = Limits()


class ServeSettings(BaseSettings):
    """The model to serve and how; every field is an environment variable with our prefix.

    The port is not called `port`: Kubernetes sets `REGISSEUR_PORT` in every pod of a namespace
    that holds a Service called `regisseur`.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, env_ignore_empty=True, frozen=True)

    model_name: Annotated[str, Field(min_length=1, description="Name of the registered model.")]
    model_version: Annotated[
        str, Field(min_length=1, description="Version of the registered model.")
    ]
    run_id: Annotated[
        str, Field(description="MLflow run of the version; by default the model folder tells.")
    ] = ""
    model_dir: Annotated[Path, Field(description="Folder that holds the file MLmodel.")] = Path(
        MODEL_DIR
    )
    engine: Annotated[
        Engine,
        Field(description="What makes the predictions: Native, or ONNX where it has been made."),
    ] = Engine.NATIVE
    trust_pickle: Annotated[
        bool,
        Field(
            description="Whether a model in pickle or cloudpickle format is loaded, which runs "
            "whatever code is in it."
        ),
    ] = False
    drain_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=3600,
            description="Seconds for which requests are still accepted after SIGTERM.",
        ),
    ] = DRAIN_SECONDS
    listen_host: Annotated[str, Field(description="Address to listen on.")] = "0.0.0.0"  # noqa: S104 - a pod is reached by its address
    listen_port: Annotated[int, Field(ge=0, le=65535, description="Port to listen on.")] = PORT
    listen_admin_port: Annotated[
        int, Field(ge=0, le=65535, description="Port of the metrics and the profile.")
    ] = ADMIN_PORT
    token_file: Annotated[
        Path | None,
        Field(
            description="File with the bearer tokens of clients, one a line; read again when it "
            "changes. Without it no token is asked for."
        ),
    ] = None
    access_log: Annotated[
        bool, Field(description="Whether each answer is a line in the log, without what was sent.")
    ] = False
    max_body_bytes: Annotated[
        int, Field(gt=0, description="Largest request body; a larger one is answered with 413.")
    ] = _LIMITS.max_body_bytes
    body_timeout_seconds: Annotated[
        float,
        Field(gt=0, description="Time in which a request body must arrive; later, 408."),
    ] = _LIMITS.body_timeout_seconds
    max_rows: Annotated[
        int, Field(gt=0, description="Most rows of a request; more are answered with 413.")
    ] = _LIMITS.max_rows
    max_requests: Annotated[
        int, Field(gt=0, description="Requests in work at a time; the next one gets 429.")
    ] = _LIMITS.max_requests
    max_held_bytes: Annotated[
        int, Field(gt=0, description="Bytes of all bodies in work; over it, 429.")
    ] = _LIMITS.max_held_bytes
    max_queue_seconds: Annotated[
        float, Field(gt=0, description="Work that may wait for the model; over it, 429.")
    ] = _LIMITS.max_queue_seconds
    queue_timeout_seconds: Annotated[
        float, Field(gt=0, description="Time that a request waits for the model; later, 504.")
    ] = _LIMITS.queue_timeout_seconds
    batch_max_rows: Annotated[
        int,
        Field(gt=0, description="Rows predicted in one call; 1 predicts each request alone."),
    ] = _LIMITS.batch_max_rows

    @property
    def limits(self) -> Limits:
        """The bounds for requests."""
        return Limits(**{field.name: getattr(self, field.name) for field in fields(Limits)})


def read_serve_settings() -> ServeSettings:
    """Read the settings of `serve` from the environment.

    Raises:
        ValueError: A variable is missing or senseless; the message names every such variable.
    """
    try:
        return ServeSettings()
    except ValidationError as error:
        complaints = [
            f"{ENV_PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise ValueError("; ".join(complaints)) from None
