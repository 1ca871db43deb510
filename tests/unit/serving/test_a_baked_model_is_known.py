"""Which model in an image counts as the version's own."""

import pytest

from regisseur_serving.core.baked_model import check_baked
from regisseur_serving.errors import UnservableError

MLMODEL = {"model_id": "m-1", "run_id": "r-1", "flavors": {}}


def check(document: object, *, digest: bool, **told: str) -> None:
    ids = {"model_id": "", "run_id": ""} | told
    check_baked(document, **ids, is_digest_expected=digest, place="/opt/model")


@pytest.mark.parametrize(
    ("document", "told"),
    [
        pytest.param(MLMODEL, {"model_id": "m-1", "run_id": "r-1"}, id="both are the same"),
        pytest.param(MLMODEL, {"model_id": "m-1", "run_id": "r-2"}, id="the model's id counts"),
        pytest.param(MLMODEL, {"run_id": "r-1"}, id="the registry names a run alone"),
        pytest.param({"run_id": "r-1"}, {"model_id": "m-1", "run_id": "r-1"}, id="an older MLflow"),
    ],
)
def test_a_model_that_says_it_is_the_versions_own_is_taken(
    document: object, told: dict[str, str]
) -> None:
    check(document, digest=False, **told)


@pytest.mark.parametrize("digest", [False, True])
@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ({"model_id": "m-2", "run_id": "r-1"}, "the model_id 'm-1' .* has 'm-2'; build an image"),
        ({"run_id": "r-2"}, "the run_id 'r-1' .* has 'r-2'; build an image"),
    ],
)
def test_the_model_of_another_version_is_refused(
    told: dict[str, str], complaint: str, digest: bool
) -> None:
    with pytest.raises(UnservableError, match=complaint):
        check(MLMODEL, digest=digest, **told)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        pytest.param(MLMODEL, {}, id="the registry names nothing"),
        pytest.param({"flavors": {}}, {"model_id": "m-1", "run_id": "r-1"}, id="it says nothing"),
        pytest.param({"model_id": None}, {"model_id": "m-1"}, id="it says null"),
        pytest.param({"run_id": "r-1"}, {"model_id": "m-1"}, id="nothing in common"),
    ],
)
def test_a_model_that_nothing_tells_of_is_taken_for_its_digest_alone(
    document: object, told: dict[str, str]
) -> None:
    check(document, digest=True, **told)
    with pytest.raises(UnservableError, match="nothing tells whether the model in /opt/model"):
        check(document, digest=False, **told)


@pytest.mark.parametrize("document", [None, "text", ["m-1"]], ids=repr)
def test_what_is_no_mlmodel_is_refused(document: object) -> None:
    with pytest.raises(UnservableError, match="is not that of a model"):
        check(document, digest=True, model_id="m-1")
