"""The benchmark of the operator in small: every scenario comes to figures."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(240)
def test_every_scenario_comes_to_figures(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    small = ("--resources", "8", "--moves", "3", "--single-moves", "2", "--rest-seconds", "2")
    sizes = ("--sizes", "2", "4")

    run = subprocess.run(
        [sys.executable, "-m", "regisseur_bench.operator", *small, *sizes, "--report", page],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    text = page.read_text()
    assert run.stdout == text
    for begin in ("from empty", "at rest", "restart", "one move", "3 moves", "8 moves", "leader"):
        assert f"\n| {begin}" in text
    # Counts do not depend on how busy the machine is.
    for what in ("from empty: writes beside one create per child", "at rest: writes"):
        assert f"| {what} | 0 | 0 | yes |" in text
    assert re.search(r"leader killed: late writes of the old one \| 0 \| 0 \| yes", text)
    assert re.search(r"\| 4 \| .* \|\n", text.partition("## Growth")[2])
    assert (tmp_path / "benchmarks-operator.svg").stat().st_size > 0
