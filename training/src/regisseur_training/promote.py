"""Move a model version to Production (or Staging) when its test accuracy suffices.

Exit code 0: the version holds the stage; 3: refused, with the figures; 1: anything else.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from regisseur_contract.tags import STAGE_PRODUCTION, STAGE_STAGING
from regisseur_training.adapters.files import read_registration
from regisseur_training.adapters.mlflow_connection import tracking_uri, without_credentials
from regisseur_training.adapters.mlflow_registry import MlflowRegistry
from regisseur_training.core.evaluation import TEST_ACCURACY
from regisseur_training.core.promotion import (
    Outcome,
    Verdict,
    choose_version,
    confirm_promotion,
    decide_promotion,
)
from regisseur_training.errors import run_to_exit
from regisseur_training.params import read_params
from regisseur_training.ports import Registration, Registry

EXIT_REFUSED: Final = 3


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks for."""

    name: str
    number: int | None
    threshold: float
    stage: str
    is_dry_run: bool


def promote(request: Request, registry: Registry, registration: Registration | None) -> Verdict:
    """Promote a version or refuse to.

    Raises:
        TrainingError: There is nothing to decide about, or another promotion interfered.
    """
    versions = registry.list_versions(request.name)
    candidate = choose_version(
        versions, name=request.name, number=request.number, registration=registration
    )
    verdict = decide_promotion(
        candidate,
        versions,
        accuracy=registry.find_metric(candidate.run_id, TEST_ACCURACY),
        threshold=request.threshold,
        stage=request.stage,
    )
    if verdict.outcome is Outcome.PROMOTE and not request.is_dry_run:
        registry.move_to_stage(candidate, request.stage)
        confirm_promotion(candidate, registry.list_versions(request.name), stage=request.stage)
    return verdict


def parse_request(arguments: Sequence[str]) -> Request:
    """Read the command line; what it leaves out comes from params.yaml.

    Raises:
        TrainingError: params.yaml is needed and wrong.
    """
    parser = argparse.ArgumentParser(prog="promote", description=__doc__.partition("\n")[0])
    parser.add_argument("--model", help="registered model (default: the one of params.yaml)")
    parser.add_argument(
        "--version", type=int, help="version (default: registered here last, else the newest)"
    )
    parser.add_argument(
        "--threshold", type=_share, help="least test accuracy (default: the one of params.yaml)"
    )
    parser.add_argument(
        "--stage",
        type=str.capitalize,
        choices=(STAGE_PRODUCTION, STAGE_STAGING),
        default=STAGE_PRODUCTION,
        help="where to (default: %(default)s)",
    )
    parser.add_argument("--dry-run", action="store_true", help="decide, but change nothing")
    given = parser.parse_args(arguments)
    name, threshold = given.model, given.threshold
    if name is None or threshold is None:
        params = read_params()
        name = params.model.name if name is None else name
        threshold = params.promotion.threshold if threshold is None else threshold
    return Request(
        name=name,
        number=given.version,
        threshold=threshold,
        stage=given.stage,
        is_dry_run=given.dry_run,
    )


def main(arguments: Sequence[str]) -> int:
    """Run the program in the current folder."""
    request = parse_request(arguments)
    uri = tracking_uri()
    verdict = promote(request, MlflowRegistry(uri), _own_registration(request.name, uri))
    prefix = "dry run, nothing changed: " if request.is_dry_run else ""
    sys.stdout.write(f"{prefix}{verdict.message}\n")
    return EXIT_REFUSED if verdict.outcome is Outcome.REFUSE else 0


def _own_registration(name: str, uri: str) -> Registration | None:
    """Return what this workspace registered, if it is of this model and in this registry."""
    registration = read_registration()
    if registration is None or registration.name != name:
        return None
    return registration if registration.tracking_uri == without_credentials(uri) else None


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


if __name__ == "__main__":
    run_to_exit(partial(main, sys.argv[1:]))
