"""The server that runs the model: image, environment, access to the files, resources, pods."""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from regisseur_contract.runtime import BATCH_MAX_ROWS, ENV_PREFIX
from regisseur_operator.api.explain import Explain
from regisseur_operator.api.fields import ObjectName, OptionalObjectName, Quantity, SpecModel
from regisseur_operator.api.podtemplate import PodTemplate
from regisseur_operator.api.quantity import parse_quantity
from regisseur_operator.api.rules import (
    DATA_KEY_RULE,
    ENV_NAME_RULE,
    ENV_SIZE_RULE,
    ENV_SOURCE_RULE,
    ENV_VALUE_RULE,
    IMAGE_FROM_RULE,
    IMAGE_RULE,
    MAX_VALUES,
    REQUESTS_RULE,
    RESERVED_ENV_RULE,
    cel,
)

MAX_RESOURCES: Final = 6
"""The most that the API server's cost limit for REQUESTS_RULE allows."""

_ENV_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_DATA_KEY: Final = re.compile(r"[-._A-Za-z0-9]+", re.ASCII)

ResourceName = Annotated[str, Field(min_length=1, max_length=253)]


class Resources(SpecModel):
    """Compute resources of the server's container."""

    model_config = ConfigDict(json_schema_extra=cel(REQUESTS_RULE))

    requests: dict[ResourceName, Quantity] = Field(
        default_factory=dict,
        max_length=MAX_RESOURCES,
        description="What a pod is sure to get and what it is scheduled by, such as cpu: 500m and"
        " memory: 512Mi.",
    )
    limits: dict[ResourceName, Quantity] = Field(
        default_factory=dict,
        max_length=MAX_RESOURCES,
        description="What a pod may use at most. A server that goes over its memory limit is"
        " killed.",
    )

    @model_validator(mode="after")
    def _check_requests(self) -> Self:
        for name in self.requests.keys() & self.limits.keys():
            if parse_quantity(self.requests[name]) > parse_quantity(self.limits[name]):
                raise ValueError(REQUESTS_RULE[1])
        return self


class ImageFrom(SpecModel):
    """Where the registry says which image a version needs."""

    model_version_tag: str = Field(
        min_length=1,
        max_length=250,
        description="Tag of the model version whose value is the image, such as regisseur.image. A"
        " version without the tag waits until it has it.",
    )


class LocalReference(SpecModel):
    """An object of the same namespace."""

    name: ObjectName = Field(description="Name of the object, in the same namespace.")


class KeyReference(SpecModel):
    """One key of a Secret or a ConfigMap of the same namespace."""

    name: ObjectName = Field(description="Name of the object, in the same namespace.")
    key: str = Field(
        min_length=1,
        max_length=253,
        description="Key inside the object.",
        json_schema_extra=cel(DATA_KEY_RULE),
    )
    optional: bool | None = Field(
        default=None, description="Whether a pod starts although the object or the key is missing."
    )

    @field_validator("key")
    @classmethod
    def _check_key(cls, key: str) -> str:
        if not _DATA_KEY.fullmatch(key):
            raise ValueError(DATA_KEY_RULE[1])
        return key


class EnvSource(SpecModel):
    """Where the value of a variable comes from."""

    model_config = ConfigDict(json_schema_extra=cel(ENV_SOURCE_RULE))

    secret_key_ref: KeyReference | None = Field(
        default=None, description="A key of a Secret. The operator itself never reads it."
    )
    config_map_key_ref: KeyReference | None = Field(
        default=None, description="A key of a ConfigMap."
    )

    @model_validator(mode="after")
    def _check_one_source(self) -> Self:
        if (self.secret_key_ref is None) == (self.config_map_key_ref is None):
            raise ValueError(ENV_SOURCE_RULE[1])
        return self


class EnvVar(SpecModel):
    """An environment variable of the server's container."""

    model_config = ConfigDict(json_schema_extra=cel(ENV_VALUE_RULE))

    name: str = Field(
        min_length=1,
        max_length=253,
        description="Name of the variable. Those that start with REGISSEUR_ are the operator's"
        " own.",
        json_schema_extra=cel(ENV_NAME_RULE, RESERVED_ENV_RULE),
    )
    value: str | None = Field(
        default=None, max_length=32768, description="Its value; absent means empty."
    )
    value_from: EnvSource | None = Field(
        default=None, description="Where its value comes from, instead of value."
    )

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not _ENV_NAME.fullmatch(name):
            raise ValueError(ENV_NAME_RULE[1])
        if name.startswith(ENV_PREFIX):
            raise ValueError(RESERVED_ENV_RULE[1])
        return name

    @model_validator(mode="after")
    def _check_one_value(self) -> Self:
        if self.value is not None and self.value_from is not None:
            raise ValueError(ENV_VALUE_RULE[1])
        return self


class ModelAccess(SpecModel):
    """How the pods get at the model's files; for the download only, never for the server."""

    service_account_name: OptionalObjectName = Field(
        default="",
        description="ServiceAccount of the pods, such as one with secrets to pull the image with"
        " or, on Amazon's EKS, one with a role that may read the bucket. The server's container"
        " gets no token of it and no role. Empty means the namespace's default.",
    )
    credentials_secret_ref: LocalReference | None = Field(
        default=None,
        description="Secret whose keys become environment variables of the download's container:"
        " MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, for the"
        " MLflow server; AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and"
        " AWS_ENDPOINT_URL_S3 for models in S3. The server of the model never sees them.",
    )
    ca_config_map_ref: LocalReference | None = Field(
        default=None,
        description="ConfigMap whose key ca.crt holds the certificates, in PEM, that vouch for the"
        " MLflow server, beside those that the image believes. For a bucket's server set"
        " AWS_CA_BUNDLE to /etc/regisseur/ca/ca.crt in the Secret.",
    )


class Batching(SpecModel):
    """How requests that wait at the same time are predicted in one call of the model."""

    enabled: bool = Field(
        default=True,
        description="Whether they are. Right for models that look at each row alone; one that does"
        " not is found out with its input example and asked one request at a time in any case.",
    )
    max_rows: int = Field(
        default=BATCH_MAX_ROWS,
        ge=1,
        le=65536,
        description="Rows of one call at most. A larger request is a call of its own.",
    )


class ServingSpec(SpecModel):
    """The server that runs the model."""

    model_config = ConfigDict(json_schema_extra=cel(IMAGE_FROM_RULE))

    image: str = Field(
        default="",
        max_length=1024,
        description="Container image of the model server. Empty means the operator's default image;"
        " another default is taken with the next version, never by itself.",
        json_schema_extra=cel(IMAGE_RULE),
    )
    image_from: ImageFrom | None = Field(
        default=None,
        description="Where the registry names the image that each version needs, instead of image:"
        " one with other libraries, or one that holds the model itself.",
    )
    image_pull_secrets: list[LocalReference] = Field(
        default_factory=list,
        max_length=8,
        description="Secrets that the image is pulled with.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    env: list[EnvVar] = Field(
        default_factory=list,
        max_length=64,
        description="Further environment variables of the server's container.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            **cel(ENV_SIZE_RULE),
        },
    )
    engine: Literal["Native", "ONNX"] | None = Field(
        default=None,
        description="What makes the predictions, by default Native. That is the library that"
        " trained the model. ONNX is faster and smaller and counts in 32 bits: each version is"
        " converted and compared with itself before it serves. Where they differ, or it cannot be"
        " converted, Native serves it; the condition Rehearsed, status.rehearsal.facts and the"
        " server's /model say why. A conversion may take 40% of rehearsal.timeout, or of"
        " progressDeadlineSeconds where that is shorter. Needs an image that was built with ONNX.",
    )
    batching: Batching | None = Field(
        default=None,
        description="How requests that wait at the same time are predicted in one call of the"
        " model. None waits for others to come.",
    )
    explain: Explain | None = Field(
        default=None,
        description="Whether the server explains its predictions, by the route /explain; without"
        " it, it does not. Versions that cannot be explained are served all the same; the condition"
        " Rehearsed, status.rehearsal.facts and the server's /model say why.",
    )
    model_access: ModelAccess = Field(
        default_factory=ModelAccess,
        description="How the pods get at the model's files; for the download only. They come from"
        " the registry's own MLflow server where it proxies its artifacts (mlflow-artifacts:), or"
        " from S3 (s3:).",
    )
    resources: Resources = Field(
        default_factory=Resources,
        description="Requests and limits of the server's container, as in a Pod.",
    )
    pod_template: PodTemplate = Field(
        default_factory=PodTemplate,
        description="What the pods get on top: labels, annotations and where they are scheduled.",
    )

    @field_validator("image")
    @classmethod
    def _check_image(cls, image: str) -> str:
        if any(letter.isspace() for letter in image):
            raise ValueError(IMAGE_RULE[1])
        return image

    @field_validator("env")
    @classmethod
    def _check_env(cls, env: list[EnvVar]) -> list[EnvVar]:
        if sum(len(variable.value or "") for variable in env) > MAX_VALUES:
            raise ValueError(ENV_SIZE_RULE[1])
        return env

    @model_validator(mode="after")
    def _check_one_image(self) -> Self:
        if self.image and self.image_from is not None:
            raise ValueError(IMAGE_FROM_RULE[1])
        return self
