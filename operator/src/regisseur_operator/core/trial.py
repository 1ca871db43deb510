"""A try: one version with one set of settings, which is accepted or rejected as a whole.

Its key names it in the status. The first half is the identity of the version, the second a digest
of everything that decides how it will do: with more memory or more time, or once the digest that
training noted is corrected, it is another try.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from regisseur_operator.api.status import Lineage, Rejection
from regisseur_operator.api.v1alpha1 import ModelDeploymentSpec
from regisseur_operator.core.fingerprint import digest
from regisseur_operator.core.roll import PodInputs, Served

KEY_HALF: Final = 10


@dataclass(frozen=True)
class Trial:
    """What is to be rehearsed.

    Attributes:
        key: Its name in the status.
        expected_digest: What training said the files are, empty where it said nothing.
        served_source: Where the served version is, empty where none of this registry is served.
        timeout_seconds: How long the rehearsal may take, download included.
        requirements: Strict, Minor or Ignore.
        signature: Compatible or Any.
    """

    key: str
    inputs: PodInputs
    lineage: Lineage
    expected_digest: str
    served_source: str
    timeout_seconds: float
    requirements: str
    signature: str


def name_trial(inputs: PodInputs, spec: ModelDeploymentSpec, expected_digest: str) -> str:
    """Return the key of a try."""
    rehearsal = spec.rehearsal
    rules = (
        *(rehearsal.enabled, rehearsal.timeout_seconds, rehearsal.requirements),
        *(spec.model.gates.signature, spec.progress_deadline_seconds, expected_digest),
    )
    return f"{_name_version(inputs.served)}-{digest([inputs.wish, rules])[:KEY_HALF]}"


def name_restart(key: str, token: str) -> str:
    """Return the key of a restart of what was accepted under a key: it may fail for itself."""
    return f"{'-'.join(key.split('-')[:2])}-{digest(token)[:KEY_HALF]}"


def is_about(key: str, served: Served) -> bool:
    """Whether a key is of a try of this version, with whatever settings."""
    return key.startswith(f"{_name_version(served)}-")


def find_rejection(rejected: Sequence[Rejection], key: str) -> Rejection | None:
    """Return why a try was rejected, None where it was not."""
    return next((entry for entry in rejected if entry.key == key), None)


def _name_version(served: Served) -> str:
    identity = [served.registry, served.model, served.version, served.run_id, served.model_id]
    return digest([*identity, served.source])[:KEY_HALF]
