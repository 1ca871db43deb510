"""Asking a pod for a prediction, as a person's own program would."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

from regisseur_contract.http import HEADER_MODEL_VERSION, ROUTE_PREDICT
from regisseur_devcluster.errors import DevclusterError

ANSWER_SECONDS: Final = 10.0

_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""No proxy leads to a pod, whatever the environment says."""

WINE: Final[dict[str, float]] = {
    "alcohol": 14.23,
    "malic_acid": 1.71,
    "ash": 2.43,
    "alcalinity_of_ash": 15.6,
    "magnesium": 127.0,
    "total_phenols": 2.8,
    "flavanoids": 3.06,
    "nonflavanoid_phenols": 0.28,
    "proanthocyanins": 2.29,
    "color_intensity": 5.64,
    "hue": 1.04,
    "od280/od315_of_diluted_wines": 3.92,
    "proline": 1065.0,
}
"""The first wine of the data set."""

BODY: Final[dict[str, Any]] = {"records": [WINE]}


@dataclass(frozen=True)
class Prediction:
    """An answer of a pod."""

    version: str
    text: str


def ask(address: str) -> Prediction:
    """Post one wine and return the answer.

    Raises:
        DevclusterError: There is no good answer.
    """
    request = urllib.request.Request(
        address + ROUTE_PREDICT,
        data=json.dumps(BODY).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with _OPENER.open(request, timeout=ANSWER_SECONDS) as answer:
            version = answer.headers.get(HEADER_MODEL_VERSION, "")
            return Prediction(version, answer.read().decode())
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace")[:300]
        raise DevclusterError(f"{request.full_url} answers {error.code}: {said}") from error
    except OSError as error:
        raise DevclusterError(f"{request.full_url} does not answer: {error}") from error
