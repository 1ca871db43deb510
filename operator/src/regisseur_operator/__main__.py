"""Start the operator: `python -m regisseur_operator`."""

import asyncio
import logging
import os
import signal
import sys
from importlib.metadata import version

from regisseur_operator.adapters.kubernetes_session import NoClusterError, load_connection
from regisseur_operator.app import Operator
from regisseur_operator.runtime.elector import LeadershipLostError
from regisseur_operator.settings import SettingsError, load_settings
from regisseur_operator.telemetry import start_logging

log = logging.getLogger("regisseur_operator")

LOST_LEADERSHIP = 3
WRONG_CONFIGURATION = 2


def main() -> int:
    """Read the configuration, run until SIGTERM or SIGINT, and return the exit code."""
    try:
        settings = load_settings()
        connection = load_connection()
    except (SettingsError, NoClusterError) as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_CONFIGURATION
    start_logging(settings.log_format, settings.log_level)
    log.info("regisseur-operator %s at %s", version("regisseur-operator"), connection.server)
    asyncio.run(_run(Operator(settings, connection, on_lost=_end_at_once)))
    return 0


async def _run(operator: Operator) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    await operator.run(stop)


def _end_at_once(error: LeadershipLostError) -> None:
    """End without a goodbye: nothing on its way may become a write after the next leader's."""
    log.critical("%s; this process ends and comes back as a candidate", error)
    os._exit(LOST_LEADERSHIP)


if __name__ == "__main__":
    sys.exit(main())
