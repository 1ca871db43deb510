"""Fills the caches before the first worker starts, however long the API server takes.

A worker that starts on empty caches would take everything for missing.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from regisseur_operator.adapters.kubernetes_errors import NotFoundError
from regisseur_operator.errors import OperatorError
from regisseur_operator.telemetry import Repeated

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 5.0

Prime = Callable[[], Awaitable[None]]


async def prime_all(modeldeployments: Prime, children: Sequence[Prime]) -> None:
    """Fill all caches; wait for an API server that is down and for the definition."""
    trouble = Repeated(log)
    pause = FIRST_PAUSE_SECONDS
    started = time.monotonic()
    while True:
        try:
            await modeldeployments()
            await asyncio.gather(*(prime() for prime in children))
        except NotFoundError:
            trouble.warn("start", "ModelDeployments are not defined yet; install the chart's CRD")
        except OperatorError as error:
            trouble.warn("start", str(error))
        else:
            log.info("caches filled in %.2f s", time.monotonic() - started)
            return
        await asyncio.sleep(pause)
        pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
