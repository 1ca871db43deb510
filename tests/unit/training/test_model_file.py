"""The model file: the same model has the same bytes, and only trusted types are loaded."""

from pathlib import Path

import pytest
import skops.io
from sklearn.neighbors import KNeighborsClassifier

from regisseur_training.adapters.model_file import list_untrusted_types, read_model, write_model
from regisseur_training.adapters.wine import read_wine
from regisseur_training.core.dataset import classes_of, features_of
from regisseur_training.core.model import TRUSTED_TYPES, Classifier, fit_classifier
from regisseur_training.errors import TrainingError
from regisseur_training.params import Algorithm, read_params

TRAIN = read_params(Path(__file__).parents[3] / "params.yaml").train
ROWS = read_wine()


def fitted(algorithm: Algorithm) -> Classifier:
    forest = TRAIN.random_forest.model_copy(update={"n_estimators": 5})
    train = TRAIN.model_copy(update={"algorithm": algorithm, "random_forest": forest})
    return fit_classifier(ROWS, train, seed=3)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_two_trainings_give_the_same_bytes(algorithm: Algorithm, tmp_path: Path) -> None:
    first, second = tmp_path / "first.skops", tmp_path / "second.skops"
    kept = fitted(algorithm)  # held on to, so that the second one lives at other addresses
    write_model(first, kept)
    write_model(second, fitted(algorithm))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_model_that_was_read_predicts_the_same(algorithm: Algorithm, tmp_path: Path) -> None:
    model = fitted(algorithm)
    write_model(tmp_path / "model.skops", model)
    again = read_model(tmp_path / "model.skops")
    assert (again.predict(features_of(ROWS)) == model.predict(features_of(ROWS))).all()


@pytest.mark.parametrize("algorithm", Algorithm)
def test_our_algorithms_need_trusted_types_only(algorithm: Algorithm) -> None:
    assert set(list_untrusted_types(fitted(algorithm))) <= set(TRUSTED_TYPES)


def test_a_model_of_other_types_is_refused(tmp_path: Path) -> None:
    neighbours = KNeighborsClassifier(algorithm="kd_tree").fit(features_of(ROWS), classes_of(ROWS))
    skops.io.dump(neighbours, tmp_path / "model.skops")
    with pytest.raises(TrainingError, match="KDTree"):
        read_model(tmp_path / "model.skops")


@pytest.mark.parametrize("content", [None, b"", b"no zip"], ids=["missing", "empty", "garbage"])
def test_a_broken_file_says_what_to_run(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TrainingError, match="run 'dvc repro'"):
        read_model(path)
