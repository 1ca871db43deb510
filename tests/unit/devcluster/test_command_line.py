"""A person's mistake is one line that says what to do."""

import os
from pathlib import Path

import pytest

from regisseur_devcluster import packages
from regisseur_devcluster.cli import main
from regisseur_devcluster.cluster import Cluster
from regisseur_devcluster.errors import DevclusterError


def test_a_mistake_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tool", "docker"]) == 1

    error = capsys.readouterr().err
    assert error.startswith("error: there is no tool called docker")
    assert error.count("\n") == 1


def test_an_image_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["images", "typo"]) == 1

    error = capsys.readouterr().err
    names = "serving, operator, mlflow, onnx-serving"
    assert error == f"error: there is no image called typo; there are: {names}\n"


def test_metrics_of_no_cluster_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("REGISSEUR_STATE", str(tmp_path))

    assert main(["metrics"]) == 1

    error = capsys.readouterr().err
    assert error.startswith("error: there is no cluster to measure")
    assert error.count("\n") == 1


def test_without_root_the_other_way_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert main(["up"]) == 1

    error = capsys.readouterr().err
    assert error.startswith("error: a node needs root")
    assert "make demo KUBECONFIG=… IMAGE_REGISTRY=…" in error
    assert error.count("\n") == 1


def test_elsewhere_than_on_debian_the_other_way_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(packages, "DPKG", tmp_path / "dpkg-query")

    assert main(["up"]) == 1

    error = capsys.readouterr().err
    assert error.startswith("error: a node is set up on Debian or Ubuntu only")
    assert error.count("\n") == 1


def test_a_folder_too_long_for_sockets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DevclusterError, match="REGISSEUR_STATE"):
        Cluster(tmp_path / ("long" * 20)).up()


def test_the_length_of_a_folder_is_counted_in_bytes() -> None:
    with pytest.raises(DevclusterError, match="REGISSEUR_STATE"):
        Cluster(Path("/" + "ü" * 30)).up()


def test_down_without_a_cluster_says_so_and_succeeds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("REGISSEUR_STATE", str(tmp_path / "state"))

    assert main(["down"]) == 0

    assert capsys.readouterr().out == "There is no cluster.\n"


def test_the_kubeconfig_lies_in_the_state_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("REGISSEUR_STATE", str(tmp_path))

    assert main(["kubeconfig"]) == 0

    assert capsys.readouterr().out.strip() == str(tmp_path / "cluster" / "kubeconfig")
