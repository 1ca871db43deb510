"""An explainer that explains nothing, and answers what it was told to."""

import asyncio
from http import HTTPStatus

from regisseur_serving.errors import InputError, Problem
from regisseur_serving.ports.predictor import Table


class FakeExplainer:
    """Keeps the tables that it is asked about.

    Args:
        reason: Why it cannot.
        refusal: What it answers instead of an explanation.
    """

    def __init__(self, reason: str = "", refusal: HTTPStatus | None = None) -> None:
        self.reason = reason
        self.tables: list[Table] = []
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self._refusal = refusal

    async def explain(self, table: Table) -> bytes:
        """Answer when it is allowed to."""
        self.tables.append(table)
        self.asked.set()
        await self.may_answer.wait()
        if self._refusal is not None:
            raise InputError(Problem((), "refused", "not now"), status=self._refusal)
        return b'{"method":"tree"}'
