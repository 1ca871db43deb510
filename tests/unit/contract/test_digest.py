"""The canonical digest: of names and contents, and nothing else."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regisseur_contract.digest import EXCLUDED, digest_files

pytestmark = pytest.mark.timeout(20, func_only=True)
"""Random examples take a while on a busy machine."""

QUIETLY = settings(deadline=None, derandomize=True)
CONTENT = st.binary(max_size=8).map(lambda content: hashlib.sha256(content).hexdigest())
PATHS = st.text(min_size=1, max_size=12).filter(lambda path: path not in EXCLUDED)
FOLDERS = st.dictionaries(PATHS, CONTENT, max_size=6)


def test_the_digest_can_be_computed_by_hand(tmp_path: Path) -> None:
    for name in ("MLmodel", "model.skops", "a b", "Z/ä", "a/deep/x", "a.b", "z"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "registered_model_meta").write_text("written by MLflow's client")
    by_hand = (
        "find . -type f ! -path ./registered_model_meta -printf '%P\\n' | LC_ALL=C sort "
        "| xargs -d '\\n' sha256sum | sha256sum"
    )
    printed = subprocess.run(
        ["sh", "-c", by_hand], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    contents = {
        path.relative_to(tmp_path).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert digest_files(contents) == f"sha256:{printed.split()[0]}"


@QUIETLY
@given(files=FOLDERS)
def test_the_order_of_files_does_not_matter(files: dict[str, str]) -> None:
    assert digest_files(dict(reversed(files.items()))) == digest_files(files)


@QUIETLY
@given(files=FOLDERS)
def test_what_the_client_writes_does_not_count(files: dict[str, str]) -> None:
    more = {**files, "registered_model_meta": "0" * 64}
    assert digest_files(more) == digest_files(files)


@QUIETLY
@given(files=FOLDERS, others=FOLDERS)
def test_other_files_are_another_digest(files: dict[str, str], others: dict[str, str]) -> None:
    assert (digest_files(files) == digest_files(others)) is (files == others)
