"""The servers that are compared, each with the settings that are best for it."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from regisseur_bench.serving.loads import (
    Body,
    write_instances,
    write_records,
    write_split,
    write_tensor,
)

PEERS: Final = Path(__file__).parent / "peers"
OURS: Final = "Regisseur"
OURS_ONNX: Final = f"{OURS}, ONNX"
NAIVE: Final = "naive FastAPI"
CONSTANT: Final = "HTTP alone"
MLFLOW: Final = "mlflow models serve"
ONNX: Final = {"REGISSEUR_ENGINE": "ONNX"}


@dataclass(frozen=True)
class Place:
    """Where one server finds what it serves.

    Attributes:
        models: Folder that the environment's own python has filled.
        scratch: Folder for files that the server wants.
        model: M1, M2 or M3.
        port: To listen on.
    """

    models: Path
    scratch: Path
    model: str
    port: int

    @property
    def folder(self) -> Path:
        """The model folder as MLflow wrote it."""
        return self.models / self.model / "model"


@dataclass(frozen=True)
class Contestant:
    """A kind of server.

    Attributes:
        name: In tables.
        python: Of its environment.
        arguments: After the python, for one place.
        environment: Variables on top, for one place.
        path: Where predictions are asked for.
        write_body: Its way to hold rows.
    """

    name: str
    python: Path
    arguments: Callable[[Place], list[str]]
    path: str
    write_body: Body
    environment: Callable[[Place], Mapping[str, str]] = field(default=lambda _: {})


@dataclass(frozen=True)
class Environments:
    """The pythons that the servers run with.

    Attributes:
        serving: Has what our image has.
        packages: Folder with our own packages, for that python.
    """

    serving: Path
    packages: Path
    mlserver: Path
    kserve: Path
    mlflow: Path = Path(sys.executable)


def list_contestants(environments: Environments) -> list[Contestant]:
    """Return everybody."""
    return [
        _uvicorn(CONSTANT, environments.serving, "constant"),
        _uvicorn(NAIVE, environments.serving, "naive"),
        _ours(OURS, environments, {}),
        _ours(OURS_ONNX, environments, ONNX),
        Contestant(
            MLFLOW,
            environments.mlflow,
            lambda place: [
                *("-m", "mlflow", "models", "serve", "--env-manager", "local"),
                *("--model-uri", str(place.folder)),
                *("--host", "127.0.0.1", "--port", str(place.port), "--workers", "1"),
            ],
            "/invocations",
            write_split,
        ),
        _mlserver("MLServer", environments.mlserver, batch_size=0),
        _mlserver("MLServer, batching", environments.mlserver, batch_size=64),
        Contestant(
            "KServe",
            environments.kserve,
            lambda _: [str(PEERS / "kserve_server.py")],
            "/v1/models/model:predict",
            write_instances,
            lambda place: {
                "BENCH_MODEL": str(place.models / f"{place.model}.joblib"),
                "BENCH_PORT": str(place.port),
            },
        ),
    ]


def _uvicorn(name: str, python: Path, program: str) -> Contestant:
    return Contestant(
        name,
        python,
        lambda place: [
            *("-m", "uvicorn", f"{program}:app", "--app-dir", str(PEERS)),
            *("--host", "127.0.0.1", "--port", str(place.port)),
            *("--loop", "uvloop", "--http", "httptools", "--no-access-log"),
        ],
        "/predict",
        write_records,
        lambda place: {"BENCH_MODEL": str(place.models / f"{place.model}.joblib")},
    )


def _ours(name: str, environments: Environments, settings: Mapping[str, str]) -> Contestant:
    return Contestant(
        name,
        environments.serving,
        lambda _: ["-m", "regisseur_serving", "serve"],
        "/predict",
        write_records,
        lambda place: {
            "REGISSEUR_MODEL_NAME": place.model,
            "REGISSEUR_MODEL_VERSION": "1",
            "PYTHONPATH": str(environments.packages),
            "REGISSEUR_MODEL_DIR": str(place.folder),
            "REGISSEUR_LISTEN_HOST": "127.0.0.1",
            "REGISSEUR_LISTEN_PORT": str(place.port),
            "REGISSEUR_LISTEN_ADMIN_PORT": str(place.port + 1),
            "REGISSEUR_DRAIN_SECONDS": "0",
            **settings,
        },
    )


def _mlserver(name: str, python: Path, *, batch_size: int) -> Contestant:
    def write_settings(place: Place) -> list[str]:
        folder = place.scratch / f"mlserver-{place.model}-{batch_size}"
        folder.mkdir(parents=True, exist_ok=True)
        ports = {"http_port": place.port, "grpc_port": place.port + 1}
        server = {"host": "127.0.0.1", "parallel_workers": 0, "metrics_endpoint": None, **ports}
        model = {
            "name": "model",
            "implementation": "mlserver_sklearn.SKLearnModel",
            "parameters": {"uri": str(place.models / f"{place.model}.joblib")},
            # The shortest wait: it is a timer, which a lonely request pays in full.
            **({"max_batch_size": batch_size, "max_batch_time": 0.001} if batch_size else {}),
        }
        (folder / "settings.json").write_text(json.dumps(server))
        (folder / "model-settings.json").write_text(json.dumps(model))
        return [str(python.with_name("mlserver")), "start", str(folder)]

    return Contestant(name, python, write_settings, "/v2/models/model/infer", write_tensor)
