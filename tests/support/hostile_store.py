"""Artifact servers that misbehave, as real servers on loopback."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ROUTE = "/api/2.0/mlflow-artifacts/artifacts"
Behaviour = Callable[["Exchange"], None]


class Exchange(BaseHTTPRequestHandler):
    """One request to a hostile server; `number` counts them from 1."""

    protocol_version = "HTTP/1.1"
    server: "_Server"
    number = 0

    def do_GET(self) -> None:
        """Behave as the test wants."""
        self.server.requests += 1
        self.number = self.server.requests
        try:
            self.server.behaviour(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def do_POST(self) -> None:
        """Behave as the test wants."""
        self.do_GET()

    def do_HEAD(self) -> None:
        """Behave as the test wants."""
        self.do_GET()

    def handle(self) -> None:
        """Go on quietly when the client goes."""
        with suppress(ConnectionResetError):
            super().handle()

    @property
    def listed(self) -> str | None:
        """The folder that is asked for; None for a file."""
        query = parse_qs(urlsplit(self.path).query)
        return query["path"][0] if "path" in query else None

    @property
    def file(self) -> str:
        """The file that is asked for."""
        return unquote(urlsplit(self.path).path).removeprefix(f"{ROUTE}/")

    def answer(
        self, body: bytes, *, status: int = 200, length: int | None = None, **headers: str
    ) -> None:
        """Send an answer, with another length than it has if need be."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        if length is not None:
            self.close_connection = True

    def answer_files(self, *entries: dict[str, Any]) -> None:
        """Send a listing."""
        self.answer(json.dumps({"files": entries}).encode())

    def drip(self, piece: bytes) -> None:
        """Send a piece again and again, slowly, until the client goes or the test ends."""
        while not self.server.is_over.wait(0.05):
            self.wfile.write(piece)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.behaviour = behaviour
        self.requests = 0
        self.is_over = threading.Event()


@contextmanager
def hostile_store(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Run a server that behaves like this, with a certificate if need be; gives its address."""
    server = _Server(behaviour)
    scheme = "http"
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()
