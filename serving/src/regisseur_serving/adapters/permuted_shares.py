"""Explain any model, by trying what it answers when some values of a row are another row's."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from regisseur_serving.adapters.masking import Background, Codes, count_rows, cut, decode
from regisseur_serving.adapters.model_outputs import Output
from regisseur_serving.adapters.shap_library import shap
from regisseur_serving.core.explaining import (
    Explanation,
    Method,
    Values,
    arrange,
    count_evaluations,
)
from regisseur_serving.ports.predictor import Table

_SEED: Final = 0
"""The same row gets the same explanation, beside whatever others and from every server."""


@dataclass(frozen=True)
class PermutationWay:
    """Explains one model.

    Attributes:
        output: What is explained.
    """

    output: Output
    background: Background

    method = Method.PERMUTATION

    def explain(self, table: Table, passes: int) -> Explanation:
        """Return the shares of every row.

        Args:
            table: The rows.
            passes: How often to go through the columns, each time in another order.
        """
        rows = [cut(table, place, place + 1) for place in range(count_rows(table))]
        found = [self._explain(row, self.background.code_row(row), passes) for row in rows]
        return Explanation(found[0].base_values, np.concatenate([one.values for one in found]))

    def try_pass(self, row: Table) -> None:
        """Do as much work as a row can take in one pass."""
        self._explain(row, self.background.foreign_codes, passes=1)

    def _explain(self, row: Table, codes: Codes, passes: int) -> Explanation:
        joined = self.background.join(row)

        def answer(masked: Codes) -> Values:
            return self.output.answer(decode(joined, masked))

        masker = shap.maskers.Independent(self.background.codes, max_samples=self.background.rows)
        explainer = shap.PermutationExplainer(answer, masker, seed=_SEED)
        evaluations = count_evaluations(len(codes))
        shares = explainer(
            codes[np.newaxis], max_evals=passes * evaluations, batch_size=evaluations, silent=True
        )
        return arrange(shares.values, shares.base_values[0])
