"""What is inside an estimator is found, all of it and once."""

from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.tree import BaseDecisionTree

from regisseur_serving.adapters.fitted_columns import walk


def test_every_tree_of_a_boosted_model_is_found_once() -> None:
    """They are kept in an array of several dimensions."""
    model = GradientBoostingRegressor(n_estimators=60, max_depth=2)
    model.fit(*load_diabetes(return_X_y=True))
    found = [part for part in walk(model) if isinstance(part, BaseDecisionTree)]
    assert {id(tree) for tree in model.estimators_.flat} == {id(tree) for tree in found}
    assert len(found) == 60
