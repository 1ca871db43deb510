"""params.yaml: what is wrong is said in one line that names the key."""

from pathlib import Path

import pytest
import yaml

from regisseur_training.errors import TrainingError
from regisseur_training.params import Algorithm, Params, read_params

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "params.yaml").read_text()


def changed(key: str, value: object) -> str:
    content = yaml.safe_load(TEXT)
    *sections, last = key.split(".")
    node = content
    for section in sections:
        node = node[section]
    node[last] = value
    return yaml.safe_dump(content)


def complaint(text: str) -> str:
    with pytest.raises(TrainingError) as raised:
        Params.parse(text, source="params.yaml")
    line = str(raised.value)
    assert "\n" not in line
    assert line.startswith("params.yaml")
    return line


def test_the_parameters_of_the_checkout_are_good() -> None:
    params = read_params(ROOT / "params.yaml")
    assert params.model.name == "wine"
    assert params.train.algorithm is Algorithm.LOGISTIC_REGRESSION


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("seed", -1, id="negative seed"),
        pytest.param("seed", "42", id="seed as text"),
        pytest.param("seed", True, id="seed as a truth value"),
        pytest.param("model.name", "", id="empty name"),
        pytest.param("model.name", "a/b", id="name with a slash"),
        pytest.param("model.name", "a:b", id="name with a colon"),
        pytest.param("data.test_fraction", 1.5, id="more test rows than rows"),
        pytest.param("data.test_fraction", None, id="no fraction"),
        pytest.param("train.algorithm", "perceptron", id="unknown algorithm"),
        pytest.param("train.logistic_regression.C", 0, id="infinite regularisation"),
        pytest.param("train.random_forest.n_estimators", 2.5, id="half a tree"),
        pytest.param("promotion.threshold", 90, id="threshold in percent"),
        pytest.param("train.random_forest.n_estimatorz", 1, id="misspelt key"),
        pytest.param("tarin", {}, id="misspelt section"),
    ],
)
def test_a_bad_value_is_named_by_its_key(key: str, value: object) -> None:
    assert f": {key}: " in complaint(changed(key, value))


def test_a_missing_value_is_named_by_its_key() -> None:
    assert "seed: Field required" in complaint(TEXT.replace("seed: 42\n", ""))


def test_further_complaints_are_counted() -> None:
    assert complaint("seed: 1").endswith("(and 3 more)")


@pytest.mark.parametrize("text", ["", "[1, 2]", "just words"], ids=["empty", "list", "words"])
def test_a_document_that_is_no_mapping_is_refused(text: str) -> None:
    assert "the document" in complaint(text)


def test_broken_yaml_is_refused_with_its_place() -> None:
    assert "line 2" in complaint("seed: 1\nmodel: [")


def test_a_missing_file_tells_where_to_be(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="run this in the folder that holds it"):
        read_params(tmp_path / "params.yaml")


def test_a_file_of_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes("# Größe\n".encode("latin-1"))
    with pytest.raises(TrainingError, match=r"params\.yaml is not UTF-8 text"):
        read_params(tmp_path / "params.yaml")


def test_a_run_shows_the_chosen_algorithm_only() -> None:
    params = Params.parse(changed("train.algorithm", "random_forest"), source="params.yaml")
    assert params.flattened() == {
        "algorithm": "random_forest",
        "seed": 42,
        "test_fraction": 0.3,
        "n_estimators": 100,
        "max_depth": 6,
        "min_samples_leaf": 1,
    }
