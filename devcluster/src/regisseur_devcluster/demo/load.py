"""Requests without retries from three kinds of client, to see what a rollout loses.

It runs as a process of its own (`python -m regisseur_devcluster.demo.load`), so that nothing else
on the machine's event loops delays it, and ends with its parent. It is bounded in rate, count and
time, and refuses every target but the loopback and the devcluster.
"""

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final, TextIO

from regisseur_contract.http import HEADER_MODEL_VERSION
from regisseur_devcluster.demo.outcomes import KINDS, Kind, Outcome, Tally
from regisseur_devcluster.demo.target import parse_target
from regisseur_devcluster.demo.wire import Connection, LostRequestError, Target
from regisseur_devcluster.errors import DevclusterError

MOST_CLIENTS: Final = 200
MOST_REQUESTS: Final = 500_000
MOST_REQUESTS_PER_SECOND: Final = 1000.0
MOST_SECONDS: Final = 1800.0
REPORT_SECONDS: Final = 0.25
OK: Final = 200


@dataclass(frozen=True)
class Plan:
    """What a load does.

    Attributes:
        target: Where to.
        clients: How many clients of each kind.
        requests_per_second: All clients together; a client that is late sends no faster.
        pause_seconds: Shortest and longest pause of a client; instead of a steady pace.
        most_requests: When to end.
        most_seconds: When to end.
    """

    target: Target
    clients: Mapping[Kind, int]
    requests_per_second: float
    pause_seconds: tuple[float, float] | None
    most_requests: int
    most_seconds: float


class Load:
    """A load that runs until its bounds are reached or it is told to stop."""

    def __init__(self, plan: Plan, records: TextIO | None = None) -> None:
        self._plan = plan
        self._records = records
        self._sent = 0
        self._stopping = asyncio.Event()
        self.tally = Tally()

    def stop(self) -> None:
        """Let every client finish its request and then end."""
        self._stopping.set()

    async def run(self) -> None:
        """Run all clients to their end."""
        timer = asyncio.get_running_loop().call_later(self._plan.most_seconds, self.stop)
        try:
            async with asyncio.TaskGroup() as clients:
                for kind, count in self._plan.clients.items():
                    for _ in range(count):
                        clients.create_task(self._client(kind))
        finally:
            timer.cancel()

    async def _client(self, kind: Kind) -> None:
        connection: Connection | None = None
        await self._pause(random.random() * self._interval())  # noqa: S311 - spreads the clients
        while not self._stopping.is_set() and self._sent < self._plan.most_requests:
            self._sent += 1
            started, at = time.monotonic(), time.time()
            version = failure = ""
            try:
                connection, version = await self._request(kind, connection)
            except LostRequestError as lost:
                connection, failure = None, str(lost)
            spent = time.monotonic() - started
            self._note(Outcome(kind, at, spent, version, failure))
            await self._pause(self._interval() - (0 if self._plan.pause_seconds else spent))
        if connection:
            connection.close()

    def _note(self, outcome: Outcome) -> None:
        self.tally.add(outcome)
        if self._records:
            self._records.write(json.dumps(asdict(outcome)) + "\n")

    async def _request(
        self, kind: Kind, connection: Connection | None
    ) -> tuple[Connection | None, str]:
        """Send one request and return the connection to go on with and the answer's version."""
        target = self._plan.target
        if connection and kind == "keepalive" and connection.is_dropped():
            connection.close()
            connection = None
        if connection is None:
            connection = await Connection.open(target)
        try:
            answer = await connection.exchange(target.request(is_last=kind == "short"))
        except LostRequestError:
            connection.close()
            raise
        version = answer.headers.get(HEADER_MODEL_VERSION.lower(), "")
        if kind == "short" or answer.ends_connection or answer.status != OK:
            connection.close()
            connection = None
        if answer.status != OK:
            raise LostRequestError(f"status {answer.status}")
        return connection, version

    def _interval(self) -> float:
        if self._plan.pause_seconds:
            return random.uniform(*self._plan.pause_seconds)  # noqa: S311 - a pace, no secret
        return sum(self._plan.clients.values()) / self._plan.requests_per_second

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)


async def run(plan: Plan, *, is_json: bool, records: TextIO | None) -> int:
    """Run a load to its end, reporting on standard output; return the exit code."""
    load = Load(plan, records)
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, load.stop)
    reports = asyncio.create_task(_report(load)) if is_json else None
    if is_json:
        # Whoever reads the reports ends the load by closing its input, or by ending itself.
        loop.add_reader(sys.stdin.fileno(), load.stop)
    await load.run()
    if reports:
        loop.remove_reader(sys.stdin.fileno())
        reports.cancel()
    summary = load.tally.summary()
    _print(json.dumps({"final": summary.to_json()}) if is_json else summary.describe())
    return 1 if summary.failed else 0


async def _report(load: Load) -> None:
    """Tell how it goes."""
    while True:
        _print(json.dumps({"so_far": load.tally.summary().to_json()}))
        await asyncio.sleep(REPORT_SECONDS)


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m regisseur_devcluster.demo.load")
    parser.add_argument("url", help="http://ADDRESS:PORT/predict on the loopback or the devcluster")
    parser.add_argument("--body", required=True, help="the JSON to post")
    parser.add_argument("--inside", action="store_true", help="this is a pod of the cluster")
    for kind in KINDS:
        parser.add_argument(f"--{kind.replace('_', '-')}", type=int, default=4, metavar="CLIENTS")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second, all together")
    parser.add_argument("--pause", type=float, nargs=2, metavar=("LOW", "HIGH"), help="seconds")
    parser.add_argument("--count", type=int, default=10_000, help="requests at most")
    parser.add_argument("--seconds", type=float, default=60.0, help="time at most")
    parser.add_argument("--json", action="store_true", help="report as lines of JSON")
    parser.add_argument("--records", type=argparse.FileType("w"), help="file for every request")
    return parser.parse_args(arguments)


def build_plan(given: argparse.Namespace) -> Plan:
    """Return the plan of a command line.

    Raises:
        DevclusterError: The target is not ours or a bound is exceeded.
    """
    plan = Plan(
        target=parse_target(given.url, given.body.encode(), is_inside=given.inside),
        clients={kind: count for kind in KINDS if (count := getattr(given, kind)) > 0},
        requests_per_second=given.rate,
        pause_seconds=tuple(given.pause) if given.pause else None,
        most_requests=given.count,
        most_seconds=given.seconds,
    )
    _check(plan)
    return plan


def _check(plan: Plan) -> None:
    bounds = (
        ("clients", sum(plan.clients.values()), MOST_CLIENTS),
        ("--rate", plan.requests_per_second, MOST_REQUESTS_PER_SECOND),
        ("--count", plan.most_requests, MOST_REQUESTS),
        ("--seconds", plan.most_seconds, MOST_SECONDS),
    )
    for name, value, most in bounds:
        if not 0 < value <= most:
            raise DevclusterError(f"{name} has to be above 0 and at most {most:g}, not {value:g}")


def main() -> int:
    """Run the load of the command line."""
    given = parse_arguments()
    try:
        plan = build_plan(given)
        return asyncio.run(run(plan, is_json=given.json, records=given.records))
    except DevclusterError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
