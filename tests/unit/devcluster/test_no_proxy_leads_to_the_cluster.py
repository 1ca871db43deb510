"""Behind an HTTP proxy, what leads to the cluster goes around it."""

import pytest

from regisseur_devcluster.settings import environment

OURS = "localhost,127.0.0.1,10.213.0.0/16,10.214.0.0/16,10.215.0.1,.svc,.cluster.local"


@pytest.mark.parametrize(
    ("upper", "lower", "expected"),
    [
        pytest.param("", "", OURS, id="unset"),
        pytest.param("a.example, b.example", "", f"a.example,b.example,{OURS}", id="upper case"),
        pytest.param("", "a.example", f"a.example,{OURS}", id="lower case"),
        pytest.param("a.example", "b.example", f"a.example,b.example,{OURS}", id="both"),
        pytest.param("*", "", "*", id="no proxy at all"),
    ],
)
def test_both_spellings_spare_the_cluster(
    monkeypatch: pytest.MonkeyPatch, upper: str, lower: str, expected: str
) -> None:
    monkeypatch.setenv("NO_PROXY", upper)
    monkeypatch.setenv("no_proxy", lower)

    found = environment()

    assert (found["NO_PROXY"], found["no_proxy"]) == (expected, expected)


def test_what_a_caller_adds_has_the_last_word() -> None:
    assert environment({"NO_PROXY": "x"})["NO_PROXY"] == "x"
