"""Requests of all kinds, from good ones to noise, the same for the same seed."""

import copy
import gzip
import json
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from support.model_folders import ModelFolder

SECRET: Final = "S3CRET-4711"
"""Stands in cells of requests; no refusal may hold it."""

INFER: Final = "/v2/models/wine/infer"
_GOOD: Final = ("/predict", "/explain", "/invocations", INFER, "/v2/models/wine/versions/7/infer")
_OTHERS: Final = (
    *("/healthz", "/readyz", "/metrics", "/model", "/ping", "/version", "/docs", "/openapi.json"),
    *("/v2", "/v2/", "/v2/health/live", "/v2/health/ready", "/v2/repository/index"),
    *("/v2/models/wine", "/v2/models/wine/ready", "/v2/models/wine/versions/7/ready"),
    *("/v2/models/beer/infer", "/v2/models/wine/config", "/", "/nowhere", "//", "/predict/"),
    *("/%00", "/v2/models/%ff%fe/infer", "/v2/models/wine%2Finfer", "/predict?a=%zz", "/.%2e/x"),
)
_METHODS: Final = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "PROPFIND")
_ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1.5, -0.0, 1e308, 5e-324, 2**31, 2**53 + 1, 2**63, 2**64, -(2**70)),
    *("", "x", "NaN", "1e5", "\0", "\ud800", "é" * 50, "a" * 5000, " 7 ", "١٢"),
    *([], {}, [[]], [None], [[], []], {"": None}, [1, "a", None], {"a": {"a": {"a": []}}}),
    *(float("nan"), float("inf"), [0] * 300, "BYTES", "FP64", "FP16", [-1, 13], [2**40, 2**40]),
)
_KEYS: Final = ("inputs", "records", "columns", "data", "shape", "parameters", "outputs", "id", "x")
_HEADERS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("Content-Type", ("text/csv", "text/plain", "application/json; charset=latin-1", ";;;", "é")),
    ("Content-Encoding", ("gzip", "deflate", "br", "identity", "gzip, gzip", "\t", "GZIP")),
    ("Inference-Header-Content-Length", ("0", "5", "99999999", "-1", "x", "1e3", "٣", "")),
    ("Expect", ("100-continue", "x")),
    ("Accept", ("text/html", "application/xml;q=x", "")),
    ("Accept-Encoding", ("gzip", "br;q=1", "*")),
    ("Connection", ("close", "keep-alive", "x", "close, x", "Upgrade")),
    ("Upgrade", ("h2c", "websocket", "x")),
    ("X-Request-Id", ("a" * 200, "é", "")),
    ("Authorization", ("Bearer x", "Basic !!", "")),
    ("Cookie", ("a=b" * 500,)),
    ("Range", ("bytes=0-1", "x")),
    ("If-None-Match", ("*",)),
    ("Forwarded", ("for=_x;proto=gopher",)),
    ("Origin", ("null", "http://example.invalid")),
)  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """One request.

    Attributes:
        kind: What was done to it, for whoever reads a failure.
        is_raw: Whether `body` is sent as it is, without a head around it.
    """

    kind: str
    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    is_raw: bool = False

    @property
    def wire(self) -> bytes:
        """The bytes to send; headers may hold any byte but those that end them."""
        if self.is_raw:
            return self.body
        head = [f"{self.method} {self.path} HTTP/1.1", "Host: x"]
        head += [f"{name}: {value}" for name, value in self.headers]
        head += [f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(head).encode("utf-8") + self.body


@dataclass
class Fuzz:
    """Makes requests for one model.

    Args:
        folder: The model.
        seed: Two with one seed make the same requests.
    """

    folder: ModelFolder
    seed: int
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - the same requests every time

    def shots(self, count: int) -> Iterator[Shot]:
        """Return so many requests, of each kind about as many."""
        kinds = (
            *(self._good, self._near, self._near, self._near, self._secret, self._binary),
            *(self._noise, self._bitten, self._packed, self._other, self._method, self._line),
        )
        for _ in range(count):
            yield self._random.choice(kinds)()

    # ---- kinds ----

    def _good(self) -> Shot:
        path, document = self._document()
        return self._post("good", path, _dump(document))

    def _near(self) -> Shot:
        path, document = self._document()
        for _ in range(self._random.randint(1, 3)):
            document = self._mutate(document)
        return self._post("near", path, _dump(document))

    def _secret(self) -> Shot:
        """Put a text where a value belongs."""
        cell = self._random.choice((SECRET, [SECRET], {SECRET: SECRET}))
        path, document = self._document(cell)
        return self._post("secret", path, _dump(document))

    def _binary(self) -> Shot:
        """Send bytes as tensors, with lengths that fit or do not."""
        rows, width = self._random.randint(0, 4), len(self.folder.data.columns)
        tail = self._random.randbytes(rows * width * 8 + self._random.choice((0, 0, 0, 1, -1)) % 9)
        size = self._random.choice((len(tail), len(tail), len(tail), 0, -1, 2**70, "x", None))
        kind = self._random.choice(("FP64", "INT64", "BYTES", "BOOL", "FP16", "FP65"))
        tensor = {"name": "x", "shape": [rows, width], "datatype": kind}
        head = _dump({"inputs": [{**tensor, "parameters": {"binary_data_size": size}}]})
        length = self._random.choice((len(head), len(head), len(head), len(head) - 1, 0))
        more = ("Inference-Header-Content-Length", str(length))
        return self._post("binary", INFER, head + tail, more)

    def _noise(self) -> Shot:
        return self._post("noise", self._random.choice(_GOOD), self._bytes())

    def _bitten(self) -> Shot:
        """Change single bytes of a good body, cut it, or put something into it."""
        path, document = self._document()
        body = bytearray(_dump(document))
        for _ in range(self._random.randint(1, 5)):
            at = self._random.randrange(len(body))
            match self._random.randrange(3):
                case 0:
                    body[at] = self._random.randrange(256)
                case 1:
                    body[at:at] = self._bytes()[:20]
                case _:
                    del body[at : at + self._random.choice((1, 10, 1000))]
                    body += b" "
        return self._post("bitten", path, bytes(body))

    def _packed(self) -> Shot:
        path, document = self._document()
        pack = self._random.choice((gzip.compress, zlib.compress, bytes))
        body = bytearray(pack(_dump(document)))
        if self._random.random() < 0.5:
            body[self._random.randrange(len(body))] ^= 1 << self._random.randrange(8)
        encoding = self._random.choice(("gzip", "deflate", "GZIP"))
        return self._post("packed", path, bytes(body), ("Content-Encoding", encoding))

    def _other(self) -> Shot:
        return Shot(
            "other", "GET", self._random.choice((*_OTHERS, *_GOOD)), headers=self._headers()
        )

    def _method(self) -> Shot:
        path = self._random.choice((*_OTHERS, *_GOOD))
        body = self._random.choice((b"", b"{}", self._bytes()))
        return Shot("method", self._random.choice(_METHODS), path, body, self._headers())

    def _line(self) -> Shot:
        """Send what is no request at all, or only nearly one."""
        start = bytearray(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        start[self._random.randrange(14)] = self._random.choice(b"\0\r\n :/?#%\x7f\xffzZ")
        end = b"\r\n\r\n\r\n"
        noise = self._random.choice((bytes(start) + end, b"x" + self._bytes() + end))
        return Shot("line", "GET", "", noise, is_raw=True)

    # ---- parts ----

    def _post(self, kind: str, path: str, body: bytes, *more: tuple[str, str]) -> Shot:
        plain = (("Content-Type", "application/json"),)
        headers = plain if self._random.random() < 0.7 else self._headers()
        return Shot(kind, "POST", path, body, (*headers, *more))

    def _headers(self) -> tuple[tuple[str, str], ...]:
        chosen = self._random.sample(_HEADERS, self._random.randint(0, 3))
        return tuple((name, self._random.choice(values)) for name, values in chosen)

    def _bytes(self) -> bytes:
        size = self._random.choice((0, 1, 10, 100, 1000, 20_000))
        repeated = self._random.choice((b"[", b"{", b'{"a":', b"\xff", b"[[],", b"1", b'"', b"NaN"))
        return self._random.choice((self._random.randbytes(size), repeated * size))

    def _document(self, cell: object = None) -> tuple[str, dict[str, Any]]:
        """Return a path, and a document that is good there but for a cell that is given."""
        records: list[dict[str, Any]] = [
            {name: None if value != value else value for name, value in record.items()}  # noqa: PLR0124 - NaN
            for record in self.folder.records(self._random.choice((1, 2, 5)))
        ]
        if cell is not None:
            self._random.choice(records)[self._random.choice(list(records[0]))] = cell
        lists = {name: [record[name] for record in records] for name in records[0]}
        path = self._random.choice(_GOOD)
        if path in {"/predict", "/explain"}:
            form: dict[str, Any] = self._random.choice(({"records": records}, {"columns": lists}))
            return path, form
        if path == "/invocations":
            split = {"columns": list(lists), "data": [list(r.values()) for r in records]}
            forms = ({"dataframe_records": records}, {"inputs": lists}, {"dataframe_split": split})
            return path, self._random.choice(forms)
        kinds = {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES"}
        tensors = [
            {"name": name, "shape": [len(v)], "datatype": kinds.get(type(v[0]), "FP64"), "data": v}
            for name, v in lists.items()
        ]
        return path, {"id": "r", "inputs": tensors, "outputs": [{"name": "predict"}]}

    def _mutate(self, document: Any) -> Any:  # noqa: ANN401 - any JSON
        """Return a copy in which one thing is another one, gone, or twice there."""
        changed = copy.deepcopy(document)
        places = list(_find_places(changed))
        if not places:
            return self._random.choice(_ODD)
        holder, key = self._random.choice(places)
        changes: tuple[Callable[[], object], ...] = (
            lambda: holder.__setitem__(key, copy.deepcopy(self._random.choice(_ODD))),
            lambda: holder.__setitem__(key, [holder[key]]),
            lambda: holder.__delitem__(key),
            lambda: _add(holder, self._random.choice(_KEYS), self._random.choice(_ODD)),
        )
        self._random.choice(changes)()
        return changed


def _dump(document: object) -> bytes:
    return json.dumps(document).encode()


def _add(holder: Any, key: str, value: object) -> None:  # noqa: ANN401 - a list or a dictionary
    if isinstance(holder, list):
        holder.append(value)
    else:
        holder[key] = value


def _find_places(value: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401
    """Go through everything that lies in a list or in an object."""
    keys = list(value) if isinstance(value, dict) else []
    keys = list(range(len(value))) if isinstance(value, list) else keys
    for key in keys:
        yield value, key
        yield from _find_places(value[key])
