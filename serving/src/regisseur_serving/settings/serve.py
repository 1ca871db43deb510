"""Settings of `serve`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from regisseur_contract.engines import Engine
from regisseur_contract.http import ADMIN_PORT, PORT
from regisseur_contract.runtime import (
    DRAIN_SECONDS,
    ENV_PREFIX,
    EXPLAIN_BUDGET_SECONDS,
    MODEL_DIR,
    MOST_EXPLAIN_BUDGET_SECONDS,
)
from regisseur_serving.settings.limits import Limits


class ServeSettings(BaseSettings, Limits):
    """The model to serve, how, and within which limits.

    Every field is an environment variable with our prefix.

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
    explain: Annotated[
        bool, Field(description="Whether predictions are explained, by the route /explain.")
    ] = False
    explain_budget_seconds: Annotated[
        float,
        Field(
            gt=0,
            le=MOST_EXPLAIN_BUDGET_SECONDS,
            description="What the explanation of one request may take; over it, 504.",
        ),
    ] = EXPLAIN_BUDGET_SECONDS
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
