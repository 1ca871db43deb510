"""One rehearsal: everything that can be known of a version before it meets traffic.

Cheap checks come first and the most telling failure wins; what was found out until then is part
of the verdict whatever it is.
"""

import asyncio
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from math import isfinite
from typing import Any, Final

import numpy as np
import orjson

from regisseur_contract.rehearsal import RehearsalVerdict, SignatureRule, Word
from regisseur_serving.adapters.environment import list_installed, read_requirements
from regisseur_serving.adapters.folder_digest import digest_folder
from regisseur_serving.adapters.loading import LoadedModel, load_model
from regisseur_serving.adapters.model_folder import read_mlmodel
from regisseur_serving.adapters.served_mlmodel import gone_marker, served_folder
from regisseur_serving.app.explanation import try_explaining
from regisseur_serving.core.compatibility import find_incompatibilities
from regisseur_serving.core.engine import EngineChoice
from regisseur_serving.core.expected_digest import check_digest
from regisseur_serving.core.mlmodel import MLmodel, check_format
from regisseur_serving.core.requirements import compare_requirements
from regisseur_serving.errors import (
    DigestError,
    LoadError,
    ModelError,
    PredictionError,
    RequirementsError,
    ServingError,
    SignatureError,
)
from regisseur_serving.settings.rehearse import RehearseSettings
from regisseur_serving.telemetry import LOGGER

_SHOWN_DIFFERENCES = 5
_UNTRIED = "no input example: no prediction was tried; log one with input_example="
_WORDS: Final[tuple[tuple[type[ServingError], Word], ...]] = (
    (DigestError, Word.DIGEST_MISMATCH),
    (RequirementsError, Word.REQUIREMENTS_MISMATCH),
    (SignatureError, Word.SIGNATURE_INCOMPATIBLE),
    (LoadError, Word.LOAD_FAILED),
    (PredictionError, Word.PREDICTION_FAILED),
    (ModelError, Word.ARTIFACT_INVALID),
)


class Rehearsal:
    """Rehearses the version in a folder.

    Args:
        settings: What to rehearse.
        say: Told of every finding, a line each.
    """

    def __init__(self, settings: RehearseSettings, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._say = say
        self._found = RehearsalVerdict(word=Word.PASSED)

    def run(self) -> RehearsalVerdict:
        """Return the verdict; there always is one."""
        started = time.perf_counter()
        try:
            self._check()
        except ServingError as error:
            word = next((w for kind, w in _WORDS if isinstance(error, kind)), Word.LOAD_FAILED)
            self._note(word=word, message=str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, this version is not to be served
            LOGGER.exception("the rehearsal failed in a way that nobody foresaw")
            message = f"the model cannot be rehearsed ({type(error).__name__}); see the pod's log"
            self._note(word=Word.LOAD_FAILED, message=message)
        both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        peak_kibibytes = sum(resource.getrusage(who).ru_maxrss for who in both)
        self._note(
            seconds=round(time.perf_counter() - started, 3), memory_bytes=peak_kibibytes * 1024
        )
        return self._found

    def _check(self) -> None:
        folder = self._settings.model_dir
        self._check_digest()
        mlmodel = read_mlmodel(folder)
        check_format(mlmodel, trusts_pickle=self._settings.trusts_pickle)
        self._compare_requirements(mlmodel)
        incompatible = self._compare_signature(mlmodel)
        # Told in this order, but both are looked at first: a person wants to know both.
        if self._found.requirements:
            raise RequirementsError(_explain_requirements(self._found.requirements))
        if incompatible:
            raise SignatureError(incompatible)
        settings = self._settings
        loaded = load_model(folder, settings.engine, trusts_pickle=settings.trusts_pickle)
        self._say(f"loaded and warm after {loaded.load_seconds:.2f} s")
        self._tell_engine(loaded.engine)
        if loaded.problem:
            raise PredictionError(loaded.problem)
        self._predict_example(loaded)
        if settings.explain_budget_seconds:
            self._explain_example(loaded)

    def _check_digest(self) -> None:
        folder = self._settings.model_dir
        read = digest_folder(folder)
        self._note(digest=read.digest, bytes=read.bytes)
        check_digest(read.digest, self._settings.expected_digest, folder)
        is_expected = "as expected" if self._settings.expected_digest else "none was expected"
        self._say(f"{read.files} files, {read.bytes} bytes, {read.digest} ({is_expected})")

    def _compare_requirements(self, mlmodel: MLmodel) -> None:
        mode = self._settings.requirements
        wanted = read_requirements(self._settings.model_dir, mlmodel)
        differences = compare_requirements(wanted, list_installed(), mode)
        self._note(requirements=differences)
        self._say(f"requirements ({mode}): {'; '.join(differences) or 'nothing differs'}")

    def _compare_signature(self, mlmodel: MLmodel) -> str:
        said, incompatible = self._judge_signature(mlmodel)
        self._note(signature=said)
        self._say(f"signature: {said}")
        return incompatible

    def _judge_signature(self, mlmodel: MLmodel) -> tuple[str, str]:
        """Return what the comparison said, and why the version cannot follow, or nothing.

        A served version that cannot be read refuses nobody: the next one may be its cure.
        """
        folder = served_folder(self._settings.model_dir)
        if gone_marker(folder).exists():
            return "not compared, the served version's MLmodel is gone or out of reach", ""
        if not folder.exists():
            return "not compared, nothing of this registry is served", ""
        try:
            differences = find_incompatibilities(read_mlmodel(folder), mlmodel)
        except ModelError as error:
            return f"not compared, the served version's MLmodel is unreadable: {error}", ""
        if not differences:
            return "compatible", ""
        said = "; ".join(differences)
        if self._settings.signature is SignatureRule.ANY:
            return f"incompatible, which is allowed: {said}", ""
        return f"incompatible: {said}", (
            f"callers of the served version cannot stay: {said}; keep the signature, or set"
            " spec.model.gates.signature: Any to serve it all the same"
        )

    def _tell_engine(self, choice: EngineChoice) -> None:
        self._note(engine=choice.engine, engine_reason=choice.reason)
        self._say(f"served by {choice.engine}")
        if choice.reason:
            self._remark(f"served by {choice.engine}, not by ONNX: {choice.reason}")

    def _predict_example(self, loaded: LoadedModel) -> None:
        if not loaded.example:
            self._remark(_UNTRIED)
            return
        table, rows = loaded.reader.read(loaded.example_request)
        _check_values(loaded.predictor.predict(table).values)
        seconds = loaded.calibration.call_seconds
        if isfinite(seconds):
            self._note(latency_seconds=round(seconds, 6))
        self._say(f"predicted {rows} example rows in {seconds * 1000:.2f} ms")

    def _explain_example(self, loaded: LoadedModel) -> None:
        method, reason = asyncio.run(try_explaining(self._settings, loaded))
        self._note(explanations=method, explain_reason=reason)
        if reason:
            self._remark(f"predictions are not explained: {reason}")
        else:
            self._say(f"explained by method {method}")

    def _remark(self, text: str) -> None:
        """Say what people should know although the version passes."""
        self._note(message="; ".join(filter(None, (self._found.message, text))))
        self._say(text)

    def _note(self, **found: Any) -> None:
        self._found = replace(self._found, **found)


def _explain_requirements(differences: tuple[str, ...]) -> str:
    shown = "; ".join(differences[:_SHOWN_DIFFERENCES])
    rest = len(differences) - _SHOWN_DIFFERENCES
    more = f"; and {rest} more" if rest > 0 else ""
    return (
        f"the model was trained with other packages than this image has: {shown}{more}; serve it "
        "with an image made for it (spec.serving.image or imageFrom), log it with what the image "
        "has, or set spec.rehearsal.requirements: Ignore"
    )


def _check_values(values: Any) -> None:  # noqa: ANN401 - whatever an estimator answers
    """Raise unless an answer can hold the values of a prediction."""
    if (
        isinstance(values, np.ndarray)
        and values.dtype.kind == "f"
        and not np.isfinite(values).all()
    ):
        raise PredictionError(
            "the model answers values that are no finite numbers to its own input example; train "
            "it again"
        )
    try:
        orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:
        raise PredictionError(
            "the model's answers hold values that JSON cannot; log a model that answers numbers "
            "or text"
        ) from None
