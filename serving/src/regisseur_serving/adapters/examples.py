"""The input example of a model, in the shape of a request."""

from regisseur_serving.adapters.model_folder import Example
from regisseur_serving.core.signature import Signature
from regisseur_serving.core.tables import RECORDS, ROWS


def form_example(example: Example, signature: Signature) -> Example:
    """Return an example as requests hold it: MLflow writes it as people gave it."""
    if not signature.has_names:
        return [list(row.values()) if isinstance(row, dict) else row for row in example]
    names = signature.names
    return [
        row if isinstance(row, dict) else dict(zip(names, row, strict=False)) for row in example
    ]


def request_example(example: Example) -> dict[str, Example]:
    """Return the body of a request to `/predict` that holds the example."""
    return {RECORDS if isinstance(example[0], dict) else ROWS: example}
