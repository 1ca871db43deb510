"""How the operator is configured: environment variables and one file with the registries.

A mistake ends in a `SettingsError` of one line that names the key.
"""

import platform
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from regisseur_contract.runtime import ENV_PREFIX

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


class LeaseSettings(BaseModel):
    """The Lease that says which of several operator pods acts."""

    model_config = ConfigDict(frozen=True)

    namespace: str
    name: str
    duration_seconds: float
    renew_deadline_seconds: float
    retry_seconds: float


def _split(names: object) -> object:
    if not isinstance(names, str):
        return names
    return tuple(part.strip() for part in names.split(",") if part.strip())


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


class OperatorSettings(BaseSettings):
    """The environment variables; each has the prefix `REGISSEUR_`."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="ignore")

    registries_file: Path = Field(
        default=Path("/etc/regisseur/registries.yaml"),
        description="YAML or JSON file that lists the model registries.",
    )
    serving_image: str = Field(
        min_length=1,
        pattern=r"^\S+$",
        description="Image of the model server where a ModelDeployment names none.",
    )
    namespaces: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=(),
        description="Namespaces whose ModelDeployments are served, separated by commas; none: all.",
    )
    workers: int = Field(
        default=8, ge=1, le=64, description="How many ModelDeployments are worked on at once."
    )
    rehearsals_at_once: int = Field(
        default=20,
        ge=0,
        description="How many versions are rehearsed at once, in all namespaces; 0: no limit.",
    )
    rollouts_at_once: int = Field(
        default=50,
        ge=0,
        description="How many rollouts are under way at once, in all namespaces; 0: no limit.",
    )
    web_host: str = Field(default="0.0.0.0", description="Address of /healthz, /readyz, /metrics.")  # noqa: S104  # probes come from the node
    web_port: int = Field(
        default=8080, ge=0, le=65535, description="Port of /healthz, /readyz and /metrics."
    )
    log_format: Literal["json", "text"] = Field(default="json", description="Shape of log lines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important log lines that are written."
    )
    identity: str = Field(
        default_factory=platform.node,
        min_length=1,
        description="Name of this process in the Lease; the pod's name.",
    )
    lease_namespace: str = Field(
        default="regisseur-system", min_length=1, description="Namespace of the Lease."
    )
    lease_name: str = Field(
        default="regisseur-operator", min_length=1, description="Name of the Lease."
    )
    lease_duration_seconds: float = Field(
        default=15.0, ge=1.0, description="After how long without renewal another pod takes over."
    )
    lease_renew_deadline_seconds: float = Field(
        default=10.0, gt=0.0, description="After how long without renewal the leader gives up."
    )
    lease_retry_seconds: float = Field(
        default=2.0, gt=0.0, description="How often the Lease is renewed or tried for."
    )
    # NoDecode: a variable of this name is refused with a clear line instead of read as JSON.
    registries: Annotated[tuple[RegistrySettings, ...], NoDecode] = Field(
        default=(),
        description="The model registries; read from the file, not from a variable.",
    )

    @field_validator("namespaces")
    @classmethod
    def _check_namespaces(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [name for name in names if not DNS_LABEL.fullmatch(name)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no name of a namespace")
        return tuple(dict.fromkeys(names))

    @model_validator(mode="after")
    def _check_lease(self) -> Self:
        steps = (
            self.lease_retry_seconds,
            self.lease_renew_deadline_seconds,
            self.lease_duration_seconds,
        )
        if not steps[0] < steps[1] < steps[2]:
            raise ValueError(
                "REGISSEUR_LEASE_RETRY_SECONDS < REGISSEUR_LEASE_RENEW_DEADLINE_SECONDS"
                f" < REGISSEUR_LEASE_DURATION_SECONDS must hold, got {steps[0]:g}, {steps[1]:g},"
                f" {steps[2]:g}"
            )
        return self

    @property
    def lease(self) -> LeaseSettings:
        """What the elector needs."""
        return LeaseSettings(
            namespace=self.lease_namespace,
            name=self.lease_name,
            duration_seconds=self.lease_duration_seconds,
            renew_deadline_seconds=self.lease_renew_deadline_seconds,
            retry_seconds=self.lease_retry_seconds,
        )


def load_settings() -> OperatorSettings:
    """Read the environment and the registries file.

    Raises:
        SettingsError: A value is missing or wrong.
    """
    try:
        settings = OperatorSettings()
    except ValidationError as error:
        raise SettingsError(_describe(error, _variable)) from None
    registries = read_registries(settings.registries_file)
    return settings.model_copy(update={"registries": registries})


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
        raise SettingsError(f"{path}: {_describe(error, _file_key)}") from None


def _describe(error: ValidationError, name_key: Callable[[tuple[int | str, ...]], str]) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(
        ": ".join(
            part
            for part in (name_key(problem["loc"]), problem["msg"].removeprefix("Value error, "))
            if part
        )
        for problem in problems
    )


def _variable(location: tuple[int | str, ...]) -> str:
    return f"{ENV_PREFIX}{str(location[0]).upper()}" if location else ""


def _file_key(location: tuple[int | str, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")
