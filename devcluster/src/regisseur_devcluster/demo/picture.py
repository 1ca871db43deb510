"""A rollout as it happens, drawn in place on a terminal, line by line elsewhere."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from regisseur_devcluster.demo.outcomes import Summary
from regisseur_devcluster.demo.pods import Count

UP = "\x1b[{}F"
CLEAR_LINE = "\x1b[K"


@dataclass(frozen=True)
class Frame:
    """One moment of a rollout.

    Attributes:
        seconds: Since the promotion.
        pods: Number of pods by model version.
        load: The requests until now.
        rehearsing: Versions that are tried in a pod of their own, which takes no requests.
    """

    seconds: float
    pods: Mapping[str, Count]
    load: Summary
    rehearsing: frozenset[str] = frozenset()


def draw_table(frame: Frame) -> list[str]:
    """Return a frame as the lines of a table."""
    head = f"{'rehearsing':>12}{'ready':>7}{'starting':>10}{'ending':>8}{'requests':>10}"
    rows = [f"  {'':8}{head}"]
    versions = {*frame.pods, *frame.load.versions, *frame.rehearsing}
    for version in sorted(versions, key=_by_number):
        count = frame.pods.get(version, Count())
        seen = frame.load.versions.get(version)
        rows.append(
            f"  {'v' + version:8}{int(version in frame.rehearsing):>12}"
            f"{count.ready:>7}{count.starting:>10}{count.ending:>8}"
            f"{seen.requests if seen else 0:>10}"
        )
    total = f"{frame.load.total} requests, {frame.load.failed} failed"
    return [*rows, f"  {frame.seconds:6.1f}s  {total}"]


def draw_line(frame: Frame) -> str:
    """Return a frame as one line."""
    versions = [
        f"v{version}: {', '.join(_states(frame, version))}"
        for version in sorted({*frame.pods, *frame.rehearsing}, key=_by_number)
    ]
    load = f"{frame.load.total} requests, {frame.load.failed} failed"
    return f"  {frame.seconds:6.1f}s  {' | '.join(versions)} | {load}"


def _states(frame: Frame, version: str) -> list[str]:
    count = frame.pods.get(version, Count())
    states = (("ready", count.ready), ("starting", count.starting), ("ending", count.ending))
    rehearsing = ["rehearsing"] if version in frame.rehearsing else []
    return rehearsing + [f"{number} {name}" for name, number in states if number]


def _by_number(version: str) -> tuple[int, str]:
    return len(version), version


class Picture:
    """Shows frames on a stream: over each other on a terminal, else only where pods changed."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._height = 0
        self._shown: object = None

    def show(self, frame: Frame) -> None:
        """Show the next moment."""
        if self._is_terminal:
            lines = draw_table(frame)
            back = UP.format(self._height) if self._height else ""
            self._stream.write(back + "".join(f"{line}{CLEAR_LINE}\n" for line in lines))
            self._height = len(lines)
        elif self._shown != (frame.pods, frame.rehearsing):
            self._stream.write(draw_line(frame) + "\n")
        self._shown = (frame.pods, frame.rehearsing)
        self._stream.flush()
