"""Thousands of requests, good, bad and no requests at all, get well-formed answers and no more."""

import http.client
import json
import socket
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

import pytest

from support.fuzzing import SECRET, Fuzz, Shot
from support.running_servers import Running

pytestmark = pytest.mark.timeout(120, func_only=True)

GROWTH_BYTES = 48 * 2**20
"""What a process may hold more after all of it than after a tenth: allocators keep some."""
TIMEOUT_SECONDS = 10
STATUSES = {200, 400, 401, 404, 405, 408, 413, 415, 422, 429, 431, 503, 504}


@dataclass
class Client:
    """One connection at a time, opened again when the server closed it."""

    port: int
    connection: socket.socket | None = None

    def send(self, shot: Shot) -> tuple[http.client.HTTPResponse, bytes]:
        """Return the answer and its body; raises what http.client does if it is no answer."""
        self.connection = self.connection or socket.create_connection(
            ("127.0.0.1", self.port), timeout=TIMEOUT_SECONDS
        )
        self.connection.sendall(shot.wire)
        answer = http.client.HTTPResponse(self.connection, method=shot.method)
        answer.begin()
        body = answer.read()
        if answer.will_close or shot.is_raw:
            # Behind what is no request nobody knows where the next one starts.
            self.close()
        return answer, body

    def close(self) -> None:
        """Go away."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def check(shot: Shot, answer: http.client.HTTPResponse, body: bytes) -> None:
    """Raise unless an answer is one that the server may give."""
    assert answer.status in STATUSES
    assert b"Traceback" not in body
    is_head = shot.method == "HEAD" and not shot.is_raw
    assert is_head or answer.headers["content-length"] == str(len(body))
    if answer.headers["content-type"] == "application/json" and not is_head and body != b"\n":
        json.loads(body)
    if answer.status != HTTPStatus.OK:
        assert is_head or body
        assert SECRET.encode() not in body
    if answer.status == HTTPStatus.METHOD_NOT_ALLOWED:
        assert answer.headers["allow"]
    if shot.kind == "good":
        assert answer.status in {200, 400, 415}  # its headers may be noise


def fire(running: Running, shots: Iterable[Shot]) -> Counter[int]:
    """Send them one after the other; return how often each status came."""
    client, statuses = Client(running.server.port), Counter[int]()
    for number, shot in enumerate(shots):
        try:
            answer, body = client.send(shot)
            check(shot, answer, body)
        except (AssertionError, OSError, ValueError, http.client.HTTPException) as error:
            raise AssertionError(f"request {number}, {shot}: {error!r}") from error
        statuses[answer.status] += 1
    client.close()
    return statuses


def bombard(running: Running, count: int) -> Counter[int]:
    """Send so many requests and look at what they left behind."""
    fuzz = Fuzz(running.folder, seed=1)
    running.start_explaining()
    statuses = fire(running, fuzz.shots(count // 10))
    before, files = running.server.resident_bytes, running.server.open_files
    statuses += fire(running, fuzz.shots(count - count // 10))
    assert running.server.resident_bytes - before < GROWTH_BYTES
    assert running.server.open_files <= files + 2
    log = running.server.log.read_text()
    assert "Traceback" not in log
    assert SECRET not in log
    assert running.server.ask("/readyz").status == HTTPStatus.OK
    return statuses


def test_a_thousand_requests(summing: Running) -> None:
    statuses = bombard(summing, 1_000)

    assert statuses.total() == 1_000
    assert {200, 400, 404, 405, 415, 422} <= set(statuses)


@pytest.mark.deep
@pytest.mark.timeout(600, func_only=True)
@pytest.mark.parametrize("kind", ["linear", "mixed", "summing"])
def test_ten_thousand_requests(kind: str, request: pytest.FixtureRequest) -> None:
    running: Running = request.getfixturevalue(kind)

    assert bombard(running, 10_000).total() == 10_000
