"""The model card: what a person wants to know of a model before trusting it.

It holds nothing that changes without the model (no time, no commit, no version number), so the
same data and parameters give the same card to the byte.
"""

from collections.abc import Mapping, Sequence


def build_card(
    *,
    name: str,
    params: Mapping[str, object],
    metrics: Mapping[str, float],
    features: Sequence[str],
    data_version: str,
) -> str:
    """Return the card as Markdown."""
    return "\n".join(
        [
            f"# {name}",
            "",
            f"Classifier ({params['algorithm']}) with {len(features)} numeric features.",
            "",
            *_table("Parameter", params),
            "",
            *_table("Metric", {key: f"{value:.4f}" for key, value in metrics.items()}),
            "",
            f"Features: {', '.join(features)}.",
            "",
            f"Data version (MD5): {data_version}",
            "",
        ]
    )


def _table(title: str, rows: Mapping[str, object]) -> list[str]:
    body = [f"| {key} | {value} |" for key, value in sorted(rows.items())]
    return [f"| {title} | Value |", "|---|---|", *body]
