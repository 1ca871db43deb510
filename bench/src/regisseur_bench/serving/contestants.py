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
NAIVE: Final = "naive FastAPI"
CONSTANT: Final = "HTTP alone"


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


def list_contestants(mlserver: Path, kserve: Path, *, with_onnx: bool) -> list[Contestant]:
    """Return everybody.

    Args:
        mlserver: The python of MLServer's environment.
        kserve: The python of KServe's environment.
        with_onnx: Whether our server is there a second time, with the engine ONNX.
    """
    ours = Path(sys.executable)
    onnx = [_ours(f"{OURS}, ONNX", ours, {"REGISSEUR_ENGINE": "ONNX"})] if with_onnx else []
    return [
        _uvicorn(CONSTANT, ours, "constant"),
        _uvicorn(NAIVE, ours, "naive"),
        _ours(OURS, ours, {}),
        *onnx,
        Contestant(
            "mlflow models serve",
            ours,
            lambda place: [
                *("-m", "mlflow", "models", "serve", "--env-manager", "local"),
                *("--model-uri", str(place.models / place.model)),
                *("--host", "127.0.0.1", "--port", str(place.port), "--workers", "1"),
            ],
            "/invocations",
            write_split,
        ),
        _mlserver("MLServer", mlserver, batch_size=0),
        _mlserver("MLServer, batching", mlserver, batch_size=64),
        Contestant(
            "KServe",
            kserve,
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


def _ours(name: str, python: Path, settings: Mapping[str, str]) -> Contestant:
    return Contestant(
        name,
        python,
        lambda _: ["-m", "regisseur_serving", "serve"],
        "/predict",
        write_records,
        lambda place: {
            "REGISSEUR_MODEL_NAME": place.model,
            "REGISSEUR_MODEL_VERSION": "1",
            "REGISSEUR_MODEL_DIR": str(place.models / place.model),
            "REGISSEUR_LISTEN_HOST": "127.0.0.1",
            "REGISSEUR_LISTEN_PORT": str(place.port),
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
        return ["-m", "mlserver.cli", "start", str(folder)]

    return Contestant(name, python, write_settings, "/v2/models/model/infer", write_tensor)
