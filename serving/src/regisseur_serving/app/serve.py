"""The command `serve`: answer requests until told to stop."""

import gc
import os
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from regisseur_contract.exits import CONFIGURATION
from regisseur_serving.adapters.explaining import ProcessExplainer
from regisseur_serving.adapters.loading import load_model
from regisseur_serving.adapters.termination_log import write_termination_log
from regisseur_serving.adapters.token_file import TokenFile
from regisseur_serving.api.application import build_application
from regisseur_serving.api.lifecycle import Lifecycle, Phase, Served
from regisseur_serving.api.monitoring import build_monitoring
from regisseur_serving.app.exit_codes import UNKNOWN, exit_code
from regisseur_serving.app.server import AdminServer, DrainingServer, build_config
from regisseur_serving.errors import ModelError, SettingsError
from regisseur_serving.settings.fetch import read_termination_log
from regisseur_serving.settings.serve import ServeSettings, read_serve_settings
from regisseur_serving.telemetry import LOGGER, Metrics, configure_logging


def main() -> int:
    """Run the command and return its exit code."""
    configure_logging()
    try:
        settings = read_serve_settings()
    except ValueError as error:
        return _fail(str(error), CONFIGURATION)
    try:
        command = Serve(settings)
    except SettingsError as error:
        return _fail(str(error), exit_code(error))
    command.server.run()
    if command.failure:
        return _fail(command.failure, command.failure_code)
    if command.lifecycle.phase is Phase.LOADING or command.server.force_exit:
        # Threads that load or predict may be in the middle of something; nobody waits for it.
        os._exit(0)
    LOGGER.info("stopped")
    return 0


class Serve:
    """One run of the command: the server, and beside it the thread that loads the model.

    The port opens first. While the model loads, liveness is fine, readiness is not, and a
    signal ends the process at once.

    Raises:
        SettingsError: The token file is none.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self.lifecycle = Lifecycle()
        self.failure = ""
        self.failure_code = UNKNOWN
        self._settings = settings
        self._metrics = Metrics()
        tokens = TokenFile(settings.token_file) if settings.token_file else None
        host, logs_access = settings.listen_host, settings.access_log
        application = build_application(
            self.lifecycle,
            self._metrics,
            settings,
            tokens=tokens,
            explainer=_build_explainer(settings),
            logs_access=logs_access,
        )
        monitoring = build_monitoring(self.lifecycle, self._metrics, logs_access=logs_access)
        self.server = DrainingServer(
            build_config(application, host=host, port=settings.listen_port),
            admin=AdminServer(build_config(monitoring, host=host, port=settings.listen_admin_port)),
            lifecycle=self.lifecycle,
            drain_seconds=settings.drain_seconds,
            on_listening=threading.Thread(target=self._load, name="load", daemon=True).start,
        )

    def _load(self) -> None:
        try:
            served = self._read_model(self._settings.model_dir)
        except ModelError as error:
            self.failure = str(error)
            self.failure_code = exit_code(error)
        except Exception as error:  # noqa: BLE001 - a thread has nobody above it who would tell
            LOGGER.exception("loading the model failed")
            self.failure = f"the model cannot be loaded ({type(error).__name__}); see the log"
        else:
            self._metrics.show_model(
                served.name, served.version, served.run_id, served.loaded.load_seconds
            )
            self._metrics.show_engine(served.loaded.engine.engine, served.loaded.engine.word)
            _spare_the_collector()
            self.lifecycle.become_ready(served)
            LOGGER.info(
                "serving %s version %s, loaded in %.2f s",
                served.name,
                served.version,
                served.loaded.load_seconds,
            )
            return
        self.server.should_exit = True

    def _read_model(self, folder: Path) -> Served:
        settings = self._settings
        loaded = load_model(folder, settings.engine, trusts_pickle=settings.trust_pickle)
        return Served(
            name=self._settings.model_name,
            version=self._settings.model_version,
            run_id=self._settings.run_id or loaded.mlmodel.run_id,
            loaded=loaded,
            loaded_at=datetime.now(UTC),
        )


def _spare_the_collector() -> None:
    """Let the garbage collector pass over all that was loaded, which stays to the end anyway.

    To walk through it takes a tenth of a second, in which nobody is answered.
    """
    gc.collect()
    gc.freeze()


def _build_explainer(settings: ServeSettings) -> ProcessExplainer | None:
    if not settings.explain:
        return None
    return ProcessExplainer(
        settings.model_dir,
        budget_seconds=settings.explain_budget_seconds,
        trusts_pickle=settings.trust_pickle,
    )


def _fail(reason: str, code: int) -> int:
    sys.stderr.write(f"error: {reason}\n")
    write_termination_log(read_termination_log(os.environ), f"serve: {reason}")
    return code
