"""Load goes to this machine and its devcluster, nowhere else."""

import pytest

from regisseur_devcluster.demo.target import parse_target
from regisseur_devcluster.errors import DevclusterError


@pytest.mark.parametrize("url", ["http://127.0.0.1:30080/predict", "http://10.214.3.4/predict"])
def test_our_own_addresses_are_allowed(url: str) -> None:
    assert parse_target(url, b"{}").path == "/predict"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://198.51.100.7/predict", id="somebody else's address"),
        pytest.param("http://example.com/predict", id="a name, whatever it leads to"),
        pytest.param("https://127.0.0.1/predict", id="no plain HTTP"),
        pytest.param("127.0.0.1:8080", id="no URL"),
    ],
)
def test_other_targets_are_refused(url: str) -> None:
    with pytest.raises(DevclusterError):
        parse_target(url, b"{}")
