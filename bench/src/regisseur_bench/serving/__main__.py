"""`python -m regisseur_bench.serving`: measure the model server beside its peers."""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from regisseur_bench.serving.contestants import NAIVE, PEERS, Contestant, list_contestants
from regisseur_bench.serving.loads import LOADS
from regisseur_bench.serving.measuring import Plan, measure
from regisseur_bench.serving.picture import draw
from regisseur_bench.serving.processes import BenchError
from regisseur_bench.serving.report import find_all_ratios, write_report


def main() -> int:
    """Run the command and return its exit code."""
    arguments = _parse_arguments()
    everybody = list_contestants(
        arguments.mlserver, arguments.kserve, with_onnx=arguments.with_onnx
    )
    contestants = [c for c in everybody if arguments.only in c.name or c.name == NAIVE]
    loads = [load for load in LOADS if str(load).startswith(arguments.load)]
    try:
        with tempfile.TemporaryDirectory(prefix="regisseur-bench-") as scratch:
            plan = Plan(
                contestants,
                loads,
                _fit_models(contestants, Path(scratch)),
                Path(scratch),
                arguments.rounds,
                arguments.seconds,
                _Clock().say,
            )
            results = measure(plan)
    except (BenchError, FileNotFoundError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    report = write_report(results, arguments.rounds, arguments.seconds)
    sys.stdout.write(report)
    if arguments.report:
        arguments.report.write_text(report)
        ratios = find_all_ratios(results, NAIVE)
        draw(ratios, arguments.report.with_name("benchmarks-serving.svg"))
    return 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m regisseur_bench.serving", description=__doc__)
    parser.add_argument("--mlserver", type=Path, required=True, help="python with MLServer")
    parser.add_argument("--kserve", type=Path, required=True, help="python with KServe")
    parser.add_argument("--with-onnx", action="store_true", help="measure the engine ONNX as well")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--only", default="", help="part of the names of the servers to measure")
    parser.add_argument("--load", default="", help="beginning of the loads to measure, such as M1")
    parser.add_argument("--report", type=Path, help="where to write the page")
    return parser.parse_args()


def _fit_models(contestants: list[Contestant], scratch: Path) -> dict[Path, Path]:
    """Let each environment fit the models, and return the folder of each."""
    folders: dict[Path, Path] = {}
    for python in dict.fromkeys(contestant.python for contestant in contestants):
        folder = scratch / f"models-{len(folders)}"
        more = ["--mlflow"] if str(python) == sys.executable else []
        ended = subprocess.run(
            [python, PEERS / "fit.py", folder, *more], capture_output=True, text=True, check=False
        )
        if ended.returncode != 0:
            raise BenchError(f"the models cannot be fitted: {ended.stderr.splitlines()[-1:]}")
        folders[python] = folder
    return folders


class _Clock:
    """Says what was done, and when."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def say(self, line: str) -> None:
        """Write a line."""
        sys.stderr.write(f"[{time.monotonic() - self._started:5.0f} s] {line}\n")


if __name__ == "__main__":
    sys.exit(main())
