"""Read the bins that came with a model.

They are for watching it, so whatever is wrong with them is a warning: the model is served.
"""

import json
import logging
from pathlib import Path

from regisseur_contract.drift import FILE_NAME, NO_REFERENCE, DriftReference, parse_drift_reference
from regisseur_serving.adapters.model_folder import read_text, resolve_inside
from regisseur_serving.core.profile import find_misfit
from regisseur_serving.core.signature import Signature
from regisseur_serving.errors import ModelError

_LOGGER = logging.getLogger("regisseur_serving.loading")


def read_drift_reference(folder: Path, signature: Signature) -> DriftReference:
    """Return the bins of a model folder; none where it has none that can be used."""
    if not (folder / FILE_NAME).exists():
        return NO_REFERENCE
    try:
        reference = parse_drift_reference(json.loads(read_text(resolve_inside(folder, FILE_NAME))))
        problem = find_misfit(signature, reference)
    except (ModelError, ValueError, RecursionError) as error:
        problem = str(error) if not isinstance(error, json.JSONDecodeError) else "it is no JSON"
    if problem:
        _LOGGER.warning("%s is not used, only predictions are counted: %s", FILE_NAME, problem)
        return NO_REFERENCE
    return reference
