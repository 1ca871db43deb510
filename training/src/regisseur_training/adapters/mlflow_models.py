"""A model in MLflow's store, with the digest of exactly the files that were sent there.

`mlflow.sklearn.log_model` throws its folder away before anybody can look into it, so its steps are
taken one by one. The digest is of what training made: when the store holds anything else, now or
later, the rehearsal and every pod see it.
"""

import hashlib
import importlib.metadata
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from regisseur_contract.digest import digest_files
from regisseur_training.core.model import Classifier

_REQUIREMENTS = ("mlflow", "numpy", "pandas", "scikit-learn", "scipy", "skops")
"""What loading the model takes. Named here because MLflow would load it once more to find out."""

_NAME = "model"


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model that the store holds.

    Attributes:
        model_id: Its id in MLflow.
        digest: Canonical digest of its files.
    """

    model_id: str
    digest: str

    @property
    def uri(self) -> str:
        """What a version of a registered model is made from."""
        return f"models:/{self.model_id}"


def store_model(
    classifier: Classifier,
    example: pd.DataFrame,
    *,
    run_id: str,
    params: Mapping[str, object],
    trusted: list[str],
) -> StoredModel:
    """Send a model to the store, as the output of the active run.

    Args:
        classifier: The fitted model.
        example: A few rows of input; they give the signature too.
        run_id: The active run.
        params: What decided about the model.
        trusted: Types that it is made of beside skops' own.
    """
    import mlflow  # noqa: PLC0415 - it takes seconds, after the address was checked
    import mlflow.sklearn  # noqa: PLC0415
    from mlflow.entities import LoggedModelOutput  # noqa: PLC0415
    from mlflow.models import Model  # noqa: PLC0415

    client = mlflow.MlflowClient()
    texts = {key: str(value) for key, value in params.items()}
    begun = mlflow.initialize_logged_model(name=_NAME, params=texts)
    client.log_outputs(run_id, [LoggedModelOutput(begun.model_id, step=0)])
    with tempfile.TemporaryDirectory(prefix="regisseur-model-") as scratch:
        folder = Path(scratch) / _NAME
        mlflow.sklearn.save_model(
            classifier,
            folder,
            mlflow_model=Model(
                artifact_path=begun.artifact_location,
                model_uuid=begun.model_id,
                model_id=begun.model_id,
                run_id=run_id,
            ),
            serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_SKOPS,
            skops_trusted_types=trusted,
            signature=mlflow.models.infer_signature(example, classifier.predict(example)),
            input_example=example,
            pip_requirements=[f"{p}=={importlib.metadata.version(p)}" for p in _REQUIREMENTS],
        )
        digest = digest_folder(folder)
        client.log_model_artifacts(begun.model_id, str(folder))
    client.finalize_logged_model(begun.model_id, "READY")
    return StoredModel(begun.model_id, digest)


def digest_folder(folder: Path) -> str:
    """Return the canonical digest of the files of a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return digest_files(
        {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        }
    )
