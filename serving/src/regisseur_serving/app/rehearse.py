"""The command `rehearse`: judge the fetched version, leave the verdict, end.

It runs with no credentials, in the container that would serve the version.
"""

import os
import sys

from regisseur_contract.exits import ARTIFACT_INVALID, CONFIGURATION
from regisseur_contract.rehearsal import write_verdict
from regisseur_serving.adapters.termination_log import write_termination_log
from regisseur_serving.settings.fetch import read_termination_log
from regisseur_serving.settings.rehearse import read_rehearse_settings
from regisseur_serving.telemetry import configure_logging


def main() -> int:
    """Run the command and return its exit code."""
    configure_logging()
    log = read_termination_log(os.environ)
    try:
        settings = read_rehearse_settings(os.environ)
    except ValueError as error:
        sys.stderr.write(f"error: {error}\n")
        write_termination_log(log, f"rehearse: {error}")
        return CONFIGURATION
    # Imports scikit-learn: a mistake in the environment is told before.
    from regisseur_serving.app.rehearsal import Rehearsal  # noqa: PLC0415

    verdict = Rehearsal(settings, _say).run()
    write_termination_log(log, write_verdict(verdict))
    mebibytes = verdict.memory_bytes / 2**20
    _say(f"{verdict.word} in {verdict.seconds:.2f} s, {mebibytes:.0f} MiB of memory at most")
    if verdict.has_passed:
        return 0
    sys.stderr.write(f"error: {verdict.word}: {verdict.message}\n")
    return ARTIFACT_INVALID


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
