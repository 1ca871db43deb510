"""A pid alone is not enough to end a process."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from regisseur_devcluster.processes import Daemon, Identity, end, identify


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """Return a process that is none of ours."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_a_pid_that_somebody_else_got_is_not_our_process(
    stranger: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    (tmp_path / "pids").mkdir()
    (tmp_path / "pids" / "etcd").write_text(f"{stranger.pid} 1@an-earlier-boot\n")
    daemon = Daemon("etcd", tmp_path)

    assert daemon.identity is None
    daemon.stop()
    assert stranger.poll() is None


def test_a_process_is_ended_for_good_and_forgotten(tmp_path: Path) -> None:
    daemon = Daemon("sleeper", tmp_path)
    daemon.start(["/bin/sleep", "60"])
    identity = daemon.identity
    assert identity

    daemon.start(["/bin/sleep", "60"])
    assert daemon.identity == identity

    daemon.stop()
    assert not identity.is_alive()
    assert daemon.identity is None


def test_a_process_writes_into_its_log_and_not_to_us(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    daemon = Daemon("speaker", tmp_path)
    daemon.start(["/bin/sh", "-c", "echo out; echo err >&2; exec sleep 60"])
    daemon.stop()

    assert set(daemon.last_words().split()) <= {"out", "err"}
    assert capfd.readouterr() == ("", "")


def test_ending_what_has_ended_already_is_no_error() -> None:
    end([Identity(os.getpid(), "never")])


def test_this_very_process_is_known() -> None:
    identity = identify(os.getpid())

    assert identity
    assert identity.is_alive()
    assert identify(2**22 + 1) is None
