"""The command `convert`: make an ONNX file of the fetched model, then end.

It runs in an init container of its own: loading a model is no business of the one that has the
credentials. It never fails: a model that cannot be converted is served by its own engine.
"""

import os
import shutil
import subprocess
import sys

from regisseur_contract.engines import Engine
from regisseur_contract.exits import CONFIGURATION
from regisseur_serving.adapters.onnx_outcome import (
    Outcome,
    onnx_folder,
    read_outcome,
    write_outcome,
)
from regisseur_serving.adapters.termination_log import write_termination_log
from regisseur_serving.core.engine import EngineChoice, Fallback
from regisseur_serving.settings.convert import ConvertSettings, read_convert_settings
from regisseur_serving.settings.fetch import read_termination_log

_CONVERSION = "regisseur_serving.app.conversion"


def main() -> int:
    """Run the command and return its exit code."""
    try:
        settings = read_convert_settings(os.environ)
    except ValueError as error:
        sys.stderr.write(f"error: {error}\n")
        write_termination_log(read_termination_log(os.environ), f"convert: {error}")
        return CONFIGURATION
    try:
        outcome = convert(settings)
    except OSError as error:
        # The server finds no outcome and says so; the model is served all the same.
        sys.stderr.write(f"cannot write the conversion to ONNX: {error.strerror or error}\n")
        return 0
    choice = outcome.choice
    if choice.engine is Engine.ONNX:
        sys.stdout.write(f"converted to ONNX in {outcome.seconds:.2f} s; ")
        sys.stdout.write(f"{outcome.rows} rows are answered alike\n")
    else:
        sys.stdout.write(f"served by {Engine.NATIVE}, not by ONNX: {choice.reason}\n")
    return 0


def convert(settings: ConvertSettings) -> Outcome:
    """Have the model converted and return what that came to.

    Raises:
        OSError: The volume cannot be written.
    """
    folder = onnx_folder(settings.model_dir)
    known = read_outcome(folder)
    # A container that was killed is started again: what killed it would do so for ever.
    return known if known is not None else _try(settings)


def _try(settings: ConvertSettings) -> Outcome:
    folder = onnx_folder(settings.model_dir)
    shutil.rmtree(folder, ignore_errors=True)
    died = _native(Fallback.CONVERSION_DIED, "the conversion to ONNX was killed")
    write_outcome(folder, died)
    command = [sys.executable, "-m", _CONVERSION, str(settings.model_dir)]
    try:
        ended = subprocess.run(
            [*command, str(settings.memory_bytes)],
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=settings.timeout_seconds,
        )
    except subprocess.TimeoutExpired:
        limit = f"{settings.timeout_seconds:g} s"
        late = _native(Fallback.TIMED_OUT, f"the conversion to ONNX took longer than {limit}")
        write_outcome(folder, late)
        return late
    if ended.returncode != 0:
        how = f"exit code {ended.returncode}"
        if ended.returncode < 0:
            how = f"signal {-ended.returncode}"
        crashed = _native(Fallback.CONVERSION_DIED, f"the conversion to ONNX ended by {how}")
        write_outcome(folder, crashed)
        return crashed
    return read_outcome(folder) or died


def _native(word: Fallback, reason: str) -> Outcome:
    return Outcome(EngineChoice(Engine.NATIVE, word, reason))
