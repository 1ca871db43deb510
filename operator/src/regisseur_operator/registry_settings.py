"""The file that lists the model registries, and what each of them may be used for."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


class SettingsError(Exception):
    """The configuration is wrong; the message is one line that names the key."""


def _check_registry_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address such as http://mlflow.mlops.svc:5000")
    try:
        parts.hostname.encode("idna")
    except UnicodeError:
        raise ValueError(
            "must have a host name whose parts between dots are 1 to 63 characters long"
        ) from None
    if parts.username or parts.password:
        raise ValueError("must not carry a user name or password")
    if parts.query or parts.fragment:
        raise ValueError("must not have a query or a fragment")
    return url.rstrip("/")


class RegistrySettings(BaseModel):
    """One MLflow server that ModelDeployments can name in `spec.model.registry`."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid"
    )

    name: str = Field(
        default="default",
        min_length=1,
        max_length=63,
        description="Name by which ModelDeployments call it.",
    )
    url: Annotated[str, AfterValidator(_check_registry_url)] = Field(
        description="Base address of the MLflow server, as the operator and the pods reach it."
    )
    poll_interval_seconds: float = Field(
        default=5.0,
        ge=0.1,
        le=3600.0,
        description="How often the registry is asked for changes; jittered.",
    )
    timeout_seconds: float = Field(
        default=10.0, ge=0.1, le=300.0, description="Hard deadline of one request."
    )

    credentials_directory: Path | None = Field(
        default=None,
        description="Folder with the files username and password, or token, as a mounted Secret has"
        " them; read again when they change.",
    )
    ca_bundle: Path | None = Field(
        default=None,
        description="PEM file with the certificates that vouch for the server; read again when it"
        " changes.",
    )
    workspace: str = Field(
        default="",
        max_length=63,
        pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$",
        description="Workspace of the server that is meant; empty for a server without workspaces.",
    )
    allowed_namespaces: tuple[str, ...] = Field(
        default=(),
        description="Patterns of the namespaces whose ModelDeployments may name it; none: all.",
    )
    allowed_models: tuple[str, ...] = Field(
        default=(), description="Patterns of the models that may be served from it; none: all."
    )
    allowed_image_repositories: tuple[str, ...] = Field(
        default=(),
        description="Patterns of the images, without tag and digest, that may serve its models"
        " beside the operator's own; none: all.",
    )
    trust_pickle: bool = Field(
        default=False,
        strict=True,
        description="Whether models in pickle or cloudpickle format are served: loading one runs "
        "code of whoever can write to the registry.",
    )

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not DNS_LABEL.fullmatch(name):
            raise ValueError("must be lower-case letters, digits and '-'")
        return name


class RegistriesFile(BaseModel):
    """The file that `REGISSEUR_REGISTRIES_FILE` names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    registries: tuple[RegistrySettings, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        names = [registry.name for registry in self.registries]
        doubles = sorted({name for name in names if names.count(name) > 1})
        if doubles:
            raise ValueError(f"two registries are called {doubles[0]!r}")
        return self


def read_registries(path: Path) -> tuple[RegistrySettings, ...]:
    """Read the file that lists the registries.

    Raises:
        SettingsError: It cannot be read, or an entry is wrong.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"{path} (REGISSEUR_REGISTRIES_FILE) cannot be read: {error.strerror}"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise SettingsError(f"{path} is not YAML") from None
    try:
        return RegistriesFile.model_validate(document).registries
    except ValidationError as error:
        raise SettingsError(f"{path}: {describe(error, _file_key)}") from None


def describe(error: ValidationError, name_key: Callable[[tuple[int | str, ...]], str]) -> str:
    """Say in one line what is wrong, each problem behind its key."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(
        ": ".join(
            part
            for part in (name_key(problem["loc"]), problem["msg"].removeprefix("Value error, "))
            if part
        )
        for problem in problems
    )


def _file_key(location: tuple[int | str, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")
