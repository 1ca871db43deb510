"""The file `MLmodel`: what a model folder says about itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regisseur_contract.runtime import ENV_TRUST_PICKLE
from regisseur_serving.core.signature import Signature, parse_signature
from regisseur_serving.errors import ModelError

SKOPS = "skops"
PICKLES = frozenset({"pickle", "cloudpickle"})
"""Formats that run code when they are loaded, whatever the code may be."""

_FREE_EXAMPLE = "json_object"
_EXAMPLE_KINDS = frozenset({"dataframe", "ndarray", _FREE_EXAMPLE})
"""MLflow knows others (sparse matrices, arrays with names), whose shapes rows do not have."""


@dataclass(frozen=True)
class MLmodel:
    """What the server needs to know of a scikit-learn model folder.

    Attributes:
        model_file: Path of the serialized estimator inside the folder.
        serialization_format: How it is serialized.
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
    serialization_format: str = SKOPS


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
        serialization_format=_text(flavor, "serialization_format"),
    )


def check_format(mlmodel: MLmodel, *, trusts_pickle: bool) -> None:
    """Look at how the estimator is serialized, before a file of it is opened.

    Args:
        mlmodel: What the folder says.
        trusts_pickle: Whether its registry is trusted with code that runs when a model is loaded.

    Raises:
        ModelError: It would run code, and is not trusted to; or nobody knows how to load it.
    """
    kind = mlmodel.serialization_format
    if kind == SKOPS or (kind in PICKLES and trusts_pickle):
        return
    if kind not in PICKLES:
        raise ModelError(
            f"the model is serialized as {kind[:40]!r}, which is not known; log it with "
            "serialization_format='skops'"
        )
    raise ModelError(
        f"the model is serialized as {kind!r}, which runs code when it is loaded; log it with "
        "serialization_format='skops', or have the operator's configuration trust its registry "
        f"(trustPickle: true; {ENV_TRUST_PICKLE}=true for a server by itself)"
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
