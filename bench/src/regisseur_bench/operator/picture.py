"""What was found as shares of what was set."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib import pyplot as plt

from regisseur_bench.operator.goals import Judged

_REACHED: Final = "#2f6f4f"
_MISSED: Final = "#b6523a"


def draw(judged: Iterable[Judged], picture: Path) -> None:
    """Draw a bar for each goal that is not zero.

    Args:
        judged: What was set, and what was found.
        picture: The SVG to write; equal for equal results.
    """
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "regisseur"
    shown = [goal for goal in judged if goal.most > 0][::-1]
    figure, panel = plt.subplots(figsize=(8, 0.35 * len(shown) + 1))
    shares = [goal.found / goal.most for goal in shown]
    colors = [_REACHED if goal.is_reached else _MISSED for goal in shown]
    bars = panel.barh([goal.what for goal in shown], shares, color=colors)
    panel.bar_label(bars, [f"{g.found:.3g} {g.unit}".strip() for g in shown], padding=2, fontsize=7)
    panel.axvline(1, color="black", linewidth=0.8)
    panel.tick_params(labelsize=7)
    panel.margins(x=0.2)
    figure.supxlabel("found, as a share of what may be at most", fontsize=8)
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None})
    plt.close(figure)
