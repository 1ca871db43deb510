"""The files in the checkout are written from the models, and stale ones are told."""

from pathlib import Path

import pytest

from regisseur_operator.api.generate import TARGETS, main


def test_what_was_written_is_not_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--write", "--root", str(tmp_path)]) == 0
    assert [line.removeprefix("wrote ") for line in capsys.readouterr().out.splitlines()] == [
        str(target) for target in TARGETS
    ]

    assert main(["--check", "--root", str(tmp_path)]) == 0
    assert main(["--write", "--root", str(tmp_path)]) == 0
    assert capsys.readouterr() == ("", "")


def test_both_definitions_are_the_same_bytes(tmp_path: Path) -> None:
    main(["--write", "--root", str(tmp_path)])

    copies = [target for target in TARGETS if target.suffix == ".yaml"]
    assert len(copies) == 2
    assert len({(tmp_path / target).read_bytes() for target in copies}) == 1


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_a_stale_file_fails_the_check_and_is_named(
    target: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--write", "--root", str(tmp_path)])
    stale = tmp_path / target
    stale.write_text(stale.read_text() + "\n")
    capsys.readouterr()

    assert main(["--check", "--root", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"{target} is stale: run `make generate` and commit it\n"


def test_a_missing_file_is_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", "--root", str(tmp_path)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == len(TARGETS)


def test_the_checkout_is_not_stale() -> None:
    assert main(["--check"]) == 0
