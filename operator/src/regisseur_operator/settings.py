"""How the operator is configured: environment variables and one file with the registries.

A mistake ends in a `SettingsError` of one line that names the key.
"""

import platform
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from regisseur_contract.runtime import ENV_PREFIX
from regisseur_operator.registry_settings import (
    DNS_LABEL,
    RegistrySettings,
    SettingsError,
    describe,
    read_registries,
)

__all__ = [
    "LeaseSettings",
    "OperatorSettings",
    "RegistrySettings",
    "SettingsError",
    "load_settings",
]


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
        raise SettingsError(describe(error, _variable)) from None
    registries = read_registries(settings.registries_file)
    return settings.model_copy(update={"registries": registries})


def _variable(location: tuple[int | str, ...]) -> str:
    return f"{ENV_PREFIX}{str(location[0]).upper()}" if location else ""
