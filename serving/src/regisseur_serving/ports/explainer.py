"""What explains predictions."""

from typing import Protocol

from regisseur_serving.ports.predictor import Table


class Explainer(Protocol):
    """Explains what the model that is served answers."""

    @property
    def reason(self) -> str:
        """Why it cannot, as far as that is known; empty when it can."""

    async def explain(self, table: Table) -> bytes:
        """Return the explanation of every row of a table, as a JSON object.

        Raises:
            InputError: The rows cannot be explained, or not now; its status says which.
        """
