"""The throughput of the servers as bars."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib import pyplot as plt

from regisseur_bench.serving.contestants import OURS
from regisseur_bench.serving.loads import Load

_SHOWN: Final = (Load("M1", 1, 64), Load("M2", 1, 64), Load("M3", 1, 64))
_OURS: Final = "#2f6f4f"
_OTHERS: Final = "#8aa0b6"


def draw(ratios: Mapping[Load, Mapping[str, float]], picture: Path) -> None:
    """Draw a panel a model: how many times as fast as the naive server each was.

    Args:
        ratios: By load and server.
        picture: The SVG to write; equal for equal ratios.
    """
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "regisseur"
    shown = [load for load in _SHOWN if load in ratios] or list(ratios)
    figure, panels = plt.subplots(1, len(shown), figsize=(4 * len(shown), 3), squeeze=False)
    for panel, load in zip(panels[0], shown, strict=True):
        names = list(ratios[load])[::-1]
        values = [ratios[load][name] for name in names]
        colors = [_OURS if name.startswith(OURS) else _OTHERS for name in names]
        bars = panel.barh(names, values, color=colors, log=True)
        panel.bar_label(bars, labels=[f"{value:.2g}" for value in values], padding=2, fontsize=7)
        panel.set_title(str(load), fontsize=9)
        panel.tick_params(labelsize=7)
        panel.margins(x=0.2)
    figure.supxlabel("× naive FastAPI", fontsize=8)
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None})
    plt.close(figure)
