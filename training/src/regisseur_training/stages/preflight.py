"""Look, before the pipeline runs, whether the registry still knows what was registered.

DVC compares files. It cannot know that MLFLOW_TRACKING_URI names another server today or that the
server lost its data, and would call the pipeline up to date. So when the registration is gone, the
output of the register stage is removed, and `dvc repro` makes that stage run again.
"""

from regisseur_training.adapters.files import MODEL_CARD, read_registration
from regisseur_training.adapters.mlflow_connection import (
    check_reachable,
    tracking_uri,
    without_credentials,
)
from regisseur_training.adapters.mlflow_registry import MlflowRegistry
from regisseur_training.params import read_params
from regisseur_training.ports import Registration
from regisseur_training.stages import run_stage


def preflight() -> str:
    """Check parameters and registry, forget a registration that is gone, and say so."""
    read_params()
    uri = tracking_uri()
    check_reachable(uri)
    if MODEL_CARD.exists() and not _is_registered(read_registration(), uri):
        MODEL_CARD.unlink()
        return f"{without_credentials(uri)} does not know this model yet: it will be registered"
    return f"parameters are good, {without_credentials(uri)} is ready"


def _is_registered(registration: Registration | None, uri: str) -> bool:
    if registration is None or registration.tracking_uri != without_credentials(uri):
        return False
    found = MlflowRegistry(uri).find_version(registration.name, registration.version)
    return found is not None and found.run_id == registration.run_id


if __name__ == "__main__":
    run_stage(preflight)
