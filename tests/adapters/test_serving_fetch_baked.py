"""`fetch` in an image that holds the model itself: no store is asked."""

import os
import shutil
from pathlib import Path

import pytest

from regisseur_contract.exits import ARTIFACT_INVALID, DIGEST_MISMATCH
from support.hostile_store import Exchange, hostile_store
from support.mlflow_server import free_port
from support.model_folders import ModelFolder
from support.model_versions import digest_folder
from support.serving_process import Ended, run_fetch

IDS = {"REGISSEUR_MODEL_ID": "m-7", "REGISSEUR_RUN_ID": "r-7"}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "volume" / "current"
    folder.parent.mkdir()
    return folder


@pytest.fixture
def baked(linear_folder: ModelFolder, tmp_path: Path) -> Path:
    """Return the folder of an image with the model m-7."""
    folder = tmp_path / "opt" / "model"
    shutil.copytree(linear_folder.path, folder)
    lines = (folder / "MLmodel").read_text().splitlines()
    others = [line for line in lines if not line.startswith(("model_id:", "run_id:"))]
    (folder / "MLmodel").write_text("\n".join(["model_id: m-7", "run_id: r-7", *others, ""]))
    return folder


def fetch(baked: Path, target: Path, **more: str) -> Ended:
    """Run it where neither the registry nor a bucket answers."""
    environment = {"REGISSEUR_BAKED_MODEL_DIR": str(baked)} | IDS | more
    nowhere = f"http://127.0.0.1:{free_port()}"
    return run_fetch("s3://bucket/model", nowhere, target, timeout_seconds=15.0, **environment)


def failure(ended: Ended, target: Path, code: int = ARTIFACT_INVALID) -> str:
    """The reason of a failed fetch, which left nothing behind."""
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
    assert not target.exists()
    return ended.stderr.splitlines()[-1]


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_model_of_the_image_is_brought_without_a_store(baked: Path, target: Path) -> None:
    (baked / "data" / "deep").mkdir(parents=True)
    (baked / "data" / "deep" / "large").write_bytes(b"x" * 3_000_000)
    (baked / "registered_model_meta").write_text("of MLflow's client")
    first = fetch(baked, target)
    assert first.returncode == 0, first.stderr
    (baked / "registered_model_meta").unlink()
    assert content(target) == content(baked)
    assert first.stdout.rstrip().endswith(digest_folder(baked))
    assert first.stderr == ""
    assert fetch(baked, target).stdout == f"{target} holds the model already\n"


def test_an_image_of_another_version_is_refused(baked: Path, target: Path) -> None:
    reason = failure(fetch(baked, target, REGISSEUR_MODEL_ID="m-8"), target)
    assert f"holds a model with the model_id 'm-7' in {baked}, and the version has 'm-8'" in reason
    assert "spec.serving.imageFrom.modelVersionTag" in reason


def test_other_files_than_the_rehearsed_ones_are_refused(baked: Path, target: Path) -> None:
    digest = digest_folder(baked)
    (baked / "model.skops").write_bytes(b"another")
    ended = fetch(baked, target, REGISSEUR_EXPECTED_DIGEST=digest)
    assert digest in failure(ended, target, DIGEST_MISMATCH)


def test_a_folder_that_is_not_in_the_image_is_named(tmp_path: Path, target: Path) -> None:
    reason = failure(fetch(tmp_path / "none", target), target)
    assert f"says that its model is in {tmp_path / 'none'}, and there is no file MLmodel" in reason


def test_an_mlmodel_that_is_not_yaml_is_named(baked: Path, target: Path) -> None:
    (baked / "MLmodel").write_text("a: [")
    assert "is not YAML" in failure(fetch(baked, target), target)


def test_what_is_no_file_is_not_read(baked: Path, target: Path) -> None:
    os.mkfifo(baked / "pipe")
    assert "is neither a file nor a folder" in failure(fetch(baked, target), target)


def test_folders_that_lead_into_themselves_are_given_up(baked: Path, target: Path) -> None:
    (baked / "again").symlink_to(baked)
    assert "that is no model folder" in failure(fetch(baked, target), target)


def test_a_model_larger_than_the_pod_takes_is_refused(baked: Path, target: Path) -> None:
    ended = fetch(baked, target, REGISSEUR_MODEL_SIZE_LIMIT_BYTES="99")
    assert "takes 99 bytes" in failure(ended, target)


def test_a_rehearsal_without_a_store_compares_nothing(baked: Path, target: Path) -> None:
    ended = fetch(
        baked, target, REGISSEUR_SERVED_ARTIFACT_URI="mlflow-artifacts:/1/models/m-6/artifacts"
    )
    assert ended.returncode == 0, ended.stderr
    assert "the served version's MLmodel is gone" in ended.stdout
    assert target.with_name("served.gone").exists()


def test_a_rehearsal_with_a_store_compares(baked: Path, target: Path) -> None:
    def behave(exchange: Exchange) -> None:
        if exchange.listed:
            exchange.answer_files({"path": "MLmodel", "is_dir": False, "file_size": "4"})
        else:
            exchange.answer(b"abcd")

    with hostile_store(behave) as url:
        ended = fetch(
            baked,
            target,
            REGISSEUR_REGISTRY_URL=url,
            REGISSEUR_SERVED_ARTIFACT_URI="mlflow-artifacts:/1/models/m-6/artifacts",
        )
    assert ended.returncode == 0, ended.stderr
    assert (target.with_name("served") / "MLmodel").read_bytes() == b"abcd"
