"""`python -m regisseur_bench.serving`: measure the model server beside its peers."""

import argparse
import sys
import tempfile
from pathlib import Path

from regisseur_bench.clock import Clock
from regisseur_bench.serving.contestants import NAIVE, Environments, list_contestants
from regisseur_bench.serving.loads import LOADS
from regisseur_bench.serving.measuring import Plan, measure
from regisseur_bench.serving.picture import draw
from regisseur_bench.serving.preparing import prepare
from regisseur_bench.serving.processes import BenchError
from regisseur_bench.serving.report import find_all_ratios, write_report


def main() -> int:
    """Run the command and return its exit code."""
    arguments = _parse_arguments()
    clock = Clock()
    try:
        with tempfile.TemporaryDirectory(prefix="regisseur-bench-") as folder:
            scratch = Path(folder)
            environments = Environments(
                arguments.serving, scratch / "packages", arguments.mlserver, arguments.kserve
            )
            everybody = list_contestants(environments)
            plan = Plan(
                [c for c in everybody if arguments.only in c.name or c.name == NAIVE],
                [load for load in LOADS if str(load).startswith(arguments.load)],
                prepare(environments, scratch, clock.say),
                scratch,
                arguments.rounds,
                arguments.seconds,
                clock.say,
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
    parser.add_argument("--serving", type=Path, required=True, help="python of our image")
    parser.add_argument("--mlserver", type=Path, required=True, help="python with MLServer")
    parser.add_argument("--kserve", type=Path, required=True, help="python with KServe")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--only", default="", help="part of the names of the servers to measure")
    parser.add_argument("--load", default="", help="beginning of the loads to measure, such as M1")
    parser.add_argument("--report", type=Path, help="where to write the page")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
