"""`python -m regisseur_bench.operator`: measure the operator beside a raw client."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from regisseur_bench.clock import Clock
from regisseur_bench.operator.errors import BenchError
from regisseur_bench.operator.goals import judge
from regisseur_bench.operator.ground import prepare_ground
from regisseur_bench.operator.measuring import SCENARIOS, Plan, measure
from regisseur_bench.operator.picture import draw
from regisseur_bench.operator.report import write_report
from regisseur_devcluster.errors import DevclusterError


def main() -> int:
    """Run the command and return its exit code."""
    arguments = _parse_arguments()
    # Told to end, it ends what it has started as well.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    clock = Clock()
    plan = Plan(
        scenarios=frozenset(arguments.only or SCENARIOS),
        resources=arguments.resources,
        moves=min(arguments.moves, arguments.resources),
        single_moves=arguments.single_moves,
        rest_seconds=arguments.rest_seconds,
        sizes=arguments.sizes,
        say=clock.say,
    )
    try:
        with prepare_ground(arguments.crds) as ground:
            results = asyncio.run(measure(ground, plan))
    except (BenchError, DevclusterError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    report = write_report(results, arguments.resources)
    sys.stdout.write(report)
    if arguments.report:
        arguments.report.write_text(report)
        draw(judge(results), arguments.report.with_name("benchmarks-operator.svg"))
    return 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m regisseur_bench.operator", description=__doc__)
    parser.add_argument("--crds", type=Path, default=Path("crds"), help="folder of the CRD")
    parser.add_argument("--only", action="append", choices=SCENARIOS, help="measure this; repeat")
    parser.add_argument("--resources", type=int, default=1000, help="how many ModelDeployments")
    parser.add_argument("--moves", type=int, default=100, help="how many models move at once")
    parser.add_argument("--single-moves", type=int, default=20, help="one after the other")
    parser.add_argument("--rest-seconds", type=float, default=300.0)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[10, 100, 300, 1000, 3000], help="of the growth"
    )
    parser.add_argument("--report", type=Path, help="where to write the page")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
