"""The file `MLmodel`: what a model folder says about itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regisseur_serving.core.signature import Signature, parse_signature
from regisseur_serving.errors import ModelError

SKOPS = "skops"
_FREE_EXAMPLE = "json_object"
_EXAMPLE_KINDS = frozenset({"dataframe", "ndarray", _FREE_EXAMPLE})
"""MLflow knows others (sparse matrices, arrays with names), whose shapes rows do not have."""


@dataclass(frozen=True)
class MLmodel:
    """What the server needs to know of a scikit-learn model folder.

    Attributes:
        model_file: Path of the serialized estimator inside the folder.
        predict_method: Method of the estimator that MLflow calls for a prediction.
        sklearn_version: The version that wrote it.
        python_version: The version of Python that wrote it; empty when it is not told.
        run_id: MLflow run that logged it; empty for a model saved outside a run.
        model_id: MLflow's id of the logged model; empty for a model saved outside a run.
        signature: The inputs; `UNDECLARED` where the file says nothing of them.
        signature_document: The signature as written, for people.
        example_file: Path of the input example in the folder; empty without one.
        is_example_free: Whether the example may be any JSON, and so one that is no table.
    """

    model_file: str
    predict_method: str
    sklearn_version: str
    python_version: str
    run_id: str
    model_id: str
    signature: Signature
    signature_document: Mapping[str, Any]
    example_file: str
    is_example_free: bool = False


def parse_mlmodel(document: object) -> MLmodel:
    """Read a parsed MLmodel file.

    Raises:
        ModelError: It is no MLmodel file, or of a model that this server does not serve.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("flavors"), Mapping):
        raise ModelError("MLmodel has no flavors; log the model again")
    flavors = document["flavors"]
    flavor = flavors.get("sklearn")
    if not isinstance(flavor, Mapping):
        found = ", ".join(sorted(str(name) for name in flavors)) or "none"
        raise ModelError(f"only scikit-learn models are served; this one has the flavors: {found}")
    _check_format(flavor.get("serialization_format"))
    python_function = flavors.get("python_function")
    python_function = python_function if isinstance(python_function, Mapping) else {}
    signature, info = document.get("signature"), document.get("saved_input_example_info")
    info = info if isinstance(info, Mapping) else {}
    return MLmodel(
        model_file=_text(flavor, "pickled_model") or "model.skops",
        predict_method=_predict_method(python_function),
        sklearn_version=_text(flavor, "sklearn_version"),
        python_version=_text(python_function, "python_version"),
        run_id=_text(document, "run_id"),
        model_id=_text(document, "model_id"),
        signature=parse_signature(signature),
        signature_document=signature if isinstance(signature, Mapping) else {},
        example_file=_text(info, "artifact_path") if info.get("type") in _EXAMPLE_KINDS else "",
        is_example_free=info.get("type") == _FREE_EXAMPLE,
    )


def _check_format(serialization_format: object) -> None:
    if serialization_format != SKOPS:
        raise ModelError(
            f"the model is serialized as {str(serialization_format)[:40]!r}, which runs code when "
            "it is loaded; log it with serialization_format='skops'"
        )


def _predict_method(python_function: Mapping[str, object]) -> str:
    method = _text(python_function, "predict_fn") or "predict"
    if method not in {"predict", "predict_proba", "predict_log_proba", "decision_function"}:
        raise ModelError(
            f"MLmodel asks for the method {method[:40]!r}; log the model with pyfunc_predict_fn "
            "'predict' or 'predict_proba'"
        )
    return method


def _text(document: Mapping[str, object], key: str) -> str:
    value = document.get(key)
    return str(value) if value is not None else ""
