"""The parameters of the pipeline as params.yaml holds them; nobody else reads that file."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from regisseur_training.errors import TrainingError

PARAMS_FILE = Path("params.yaml")

ModelName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=256, pattern=r"^[^/:]+$", strip_whitespace=True),
]
"""MLflow refuses a slash and a colon; its database column holds 256 characters."""


class Algorithm(StrEnum):
    """What can be trained."""

    LOGISTIC_REGRESSION = "logistic_regression"
    RANDOM_FOREST = "random_forest"


class _Section(BaseModel):
    """Strict: YAML has types of its own, so nothing is converted or ignored in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ModelParams(_Section):
    """The registered model."""

    name: ModelName = Field(description="Name of the registered model and of the experiment.")


class DataParams(_Section):
    """How the data set is cut."""

    test_fraction: float = Field(
        ge=0.05, le=0.5, description="Share of the rows that is held out for evaluation."
    )


class LogisticRegressionParams(_Section):
    """Hyper-parameters of the logistic regression (on standardised features)."""

    C: float = Field(gt=0, description="Inverse of the regularisation strength.")
    max_iter: int = Field(ge=1, le=100_000, description="Most iterations of the solver.")


class RandomForestParams(_Section):
    """Hyper-parameters of the random forest."""

    n_estimators: int = Field(ge=1, le=10_000, description="Number of trees.")
    max_depth: int | None = Field(ge=1, description="Deepest tree; null is without a limit.")
    min_samples_leaf: int = Field(ge=1, description="Fewest rows in a leaf.")


class TrainParams(_Section):
    """What is trained and how."""

    algorithm: Annotated[Algorithm, Field(strict=False)] = Field(
        description="Which of the algorithms below is used."
    )
    logistic_regression: LogisticRegressionParams
    random_forest: RandomForestParams

    @property
    def chosen(self) -> LogisticRegressionParams | RandomForestParams:
        """Hyper-parameters of the algorithm that is used."""
        match self.algorithm:
            case Algorithm.LOGISTIC_REGRESSION:
                return self.logistic_regression
            case Algorithm.RANDOM_FOREST:
                return self.random_forest


class PromotionParams(_Section):
    """What a version must reach before it is promoted."""

    threshold: float = Field(ge=0, le=1, description="Least test accuracy of a promoted version.")


class Params(_Section):
    """All of params.yaml."""

    seed: int = Field(ge=0, le=2**32 - 1, description="Seed of everything that is random.")
    model: ModelParams
    data: DataParams
    train: TrainParams
    promotion: PromotionParams

    @classmethod
    def parse(cls, text: str, *, source: str) -> Self:
        """Parse the text of a parameter file.

        Raises:
            TrainingError: It is no YAML, or a value is missing, unknown or out of range.
        """
        try:
            return cls.model_validate(yaml.safe_load(text))
        except yaml.YAMLError as error:
            raise TrainingError(
                f"{source} is not valid YAML: {' '.join(str(error).split())}"
            ) from None
        except ValidationError as error:
            raise TrainingError(f"{source}: {_first_complaint(error)}") from None

    def flattened(self) -> dict[str, str | int | float | None]:
        """Return what decided about the model, as a run in MLflow shows it."""
        return {
            "algorithm": self.train.algorithm.value,
            "seed": self.seed,
            "test_fraction": self.data.test_fraction,
            **self.train.chosen.model_dump(),
        }


def read_params(path: Path = PARAMS_FILE) -> Params:
    """Read the parameters of the pipeline in the current folder.

    Raises:
        TrainingError: The file is missing or wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise TrainingError(
            f"cannot read {path} ({error.strerror}); run this in the folder that holds it"
        ) from None
    except UnicodeDecodeError:
        raise TrainingError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    return Params.parse(text, source=str(path))


def _first_complaint(error: ValidationError) -> str:
    first, *others = error.errors(include_url=False)
    key = ".".join(str(part) for part in first["loc"]) or "the document"
    got = "" if first["type"] == "missing" else f", got {first['input']!r:.60}"
    more = f" (and {len(others)} more)" if others else ""
    return f"{key}: {first['msg']}{got}{more}"
