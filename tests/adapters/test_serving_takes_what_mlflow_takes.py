"""What `mlflow models serve` (3.17) answers to requests, and what this server does: one table.

Where the two differ on purpose, the name of the case says so: this server takes what is harmless
and refuses what MLflow changes without a word.
"""

import gzip
import json
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from support.model_folders import RED, WEIGHTS
from support.running_servers import Running
from support.serving_process import Reply

JSON: Final = "application/json"
CSV: Final = "text/csv"
ROW: Final[dict[str, Any]] = {
    "flag": True,
    "small": 1,
    "count": 2,
    "share": 0.5,
    "size": 1.5,
    "color": "red",
    "maybe": 3.0,
}
NAMES: Final = list(ROW)
VALUES: Final = list(ROW.values())
ERROR_KEYS: Final = {"error_code", "message", "sqlstate", "error_class"}


@dataclass(frozen=True)
class Case:
    """A request and the answer to it.

    Attributes:
        sent: The body: an object that goes as JSON, or bytes.
        means: The rows that the model gets, as changes of `ROW`; a missing float is 0.
        says: Pieces of the message when the request is refused.
    """

    name: str
    sent: object
    means: tuple[dict[str, Any], ...] = ()
    status: int = 200
    says: tuple[str, ...] = ()
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


SAME: Final[tuple[dict[str, Any], ...]] = ({},)


def taken(name: str, sent: object, *means: dict[str, Any], **more: Any) -> Case:
    return Case(name, sent, means or SAME, **more)


def refused(name: str, sent: object, *says: str, status: int = 400, **more: Any) -> Case:
    return Case(name, sent, says=says, status=status, **more)


def record(**changes: object) -> dict[str, Any]:
    return {"dataframe_records": [ROW | changes]}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in ROW.items() if key != name}


def split(**changes: Any) -> dict[str, Any]:
    return {"dataframe_split": {"columns": NAMES, "data": [VALUES], **changes}}


def raw(text: str) -> bytes:
    """A body with one record, in which a text replaces the value of `size`."""
    return json.dumps(record()).replace("1.5", text).encode()


LISTS: Final = {name: [value] for name, value in ROW.items()}
CSV_ROW: Final = "True,1,2,0.5,1.5,red,3.0"
HEAD: Final = ",".join(NAMES)

SHAPES: Final = [
    taken("records", record()),
    taken(
        "records of two rows", {"dataframe_records": [ROW, ROW | {"count": 9}]}, {}, {"count": 9}
    ),
    taken("a frame that is split", split()),
    taken("a split frame with an index, which is passed over", split(index=["x"])),
    taken("a split frame in another order", split(columns=NAMES[::-1], data=[VALUES[::-1]])),
    taken("inputs as lists", {"inputs": LISTS}),
    taken("inputs as single values, which are a row", {"inputs": ROW}),
    taken("inputs as records", {"inputs": [ROW]}),
    taken("instances as records", {"instances": [ROW]}),
    taken("a column that the model has not", record(vintage=1999)),
    taken("a field that the protocol has not", {**record(), "signature_name": "default"}),
    taken("params that no model asks for", {**record(), "params": {"top_k": 3}}),
    taken("params that are null", {**record(), "params": None}),
    taken("an optional column that is absent", {"inputs": [without("maybe")]}, {"maybe": 0}),
    taken(
        "a float that one record lacks",
        {"dataframe_records": [ROW, without("size")]},
        {},
        {"size": 0},
    ),
    refused(
        "an integer that one record lacks",
        {"dataframe_records": [ROW, without("count")]},
        "row 1 column 'count'",
    ),
    refused("a required column that is absent", {"inputs": [without("size")]}, "column 'size'"),
    refused("no records", {"dataframe_records": []}, "Failed to enforce schema"),
    refused("columns without a row", {"inputs": {name: [] for name in NAMES}}, "and a row"),
    refused("a split frame without a row", split(data=[]), "a row to predict"),
    refused("a split frame without names", {"dataframe_split": {"data": [VALUES]}}, "its columns"),
    refused("a split frame with a short row", split(data=[VALUES[:-1]]), "as many values"),
    refused("columns of unequal lengths", {"inputs": LISTS | {"size": [1, 2]}}, "same length"),
    refused("arrays for columns with names", {"inputs": [VALUES]}, "columns have names"),
    refused("instances as arrays", {"instances": [VALUES]}, "columns have names"),
    refused("two fields", {**record(), "instances": [ROW]}, "exactly one of the input fields"),
    refused("no field", {}, "exactly one of the input fields"),
    refused("a list", [ROW], "The input must be a JSON dictionary with exactly one"),
    refused("a number", 5, "The input must be a JSON dictionary"),
    refused("records in split's place", {"dataframe_split": [ROW]}, "dictionary. Got list"),
    refused("split in records' place", {"dataframe_records": LISTS}, "records. Got dictionary"),
    refused("params that are a list", {**record(), "params": [1]}, "params must be a dictionary"),
    refused("messages, which are MLflow's for chat models", {"messages": []}, "exactly one"),
    refused("input, which is MLflow's for chat models", {"input": [ROW]}, "exactly one"),
]

CELLS: Final = [
    taken("a whole float in a long", record(count=2.0)),
    taken("a text of digits in a long", record(count="2")),
    taken("true in a long is 1", record(count=True), {"count": 1}),
    refused("a fraction in a long, which MLflow cuts", record(count=2.5), "column 'count'"),
    refused("null in a long", record(count=None), "column 'count'", "null"),
    refused("2^63 in a long, which MLflow wraps", record(count=2**63), "column 'count'"),
    refused("2^31 in an integer, which MLflow wraps", record(small=2**31), "column 'small'"),
    refused("2^64 in an integer", record(small=2**64), "column 'small'"),
    refused("a word in a long", record(count="two"), "column 'count'", "valid integer"),
    taken("a whole number in a double", record(size=2), {"size": 2}),
    taken("true in a double is 1", record(size=True), {"size": 1}),
    taken("a text with a number in a double", record(size="1.5")),
    taken("null in a double is missing", record(size=None), {"size": 0}),
    taken("2^64 in a double", record(size=2**64), {"size": 2**64}),
    taken("minus nothing", raw("-0"), {"size": 0}),
    taken("NaN, which is no JSON", raw("NaN"), {"size": 0}),
    refused("Infinity, which no model of ours takes", raw("Infinity"), "column 'size'"),
    refused("1e999, which is infinite", raw("1e999"), "column 'size'"),
    refused("a word in a double", record(size="abc"), "column 'size'", "valid number"),
    refused("a list in a cell", record(size=[1.5]), "column 'size'"),
    refused("an object in a cell", record(size={}), "column 'size'"),
    refused("1e300 in a float, which MLflow makes infinite", record(share=1e300), "'share'"),
    taken("1 in a boolean", record(flag=1)),
    taken("'false', which MLflow takes for true", record(flag="false"), {"flag": False}),
    refused("null in a boolean, which MLflow takes for false", record(flag=None), "'flag'"),
    refused("2 in a boolean, which MLflow takes for true", record(flag=2), "column 'flag'"),
    taken("a text that the model has not seen", record(color="mauve"), {"color": "mauve"}),
    taken("a number in a text column", record(color=5), {"color": "5"}),
    taken("letters of all alphabets", record(color="röt 赤 🍷"), {"color": "röt"}),
    taken("null in an optional column", record(maybe=None), {"maybe": 0}),
]

BODIES: Final = [
    taken("CSV", f"{HEAD}\n{CSV_ROW}\n".encode(), content_type=CSV),
    taken("CSV with an index", f",{HEAD}\n0,{CSV_ROW}\n".encode(), content_type=CSV),
    taken("CSV with line ends of Windows", f"{HEAD}\r\n{CSV_ROW}\r\n".encode(), content_type=CSV),
    taken(
        "CSV with an empty cell",
        f"{HEAD}\n{CSV_ROW.replace('1.5', '')}\n".encode(),
        {"size": 0},
        content_type=CSV,
    ),
    refused("CSV with a fraction in a long", f"{HEAD}\n{CSV_ROW.replace('2', '2.5')}\n".encode(),
            "column 'count'", content_type=CSV),
    refused("CSV of a head only", f"{HEAD}\n".encode(), "and a row", content_type=CSV),
    refused("CSV that is JSON", json.dumps(record()).encode(), "CSV", content_type=CSV),
    taken("a mark of the byte order", b"\xef\xbb\xbf" + json.dumps(record()).encode()),
    taken("a key twice, of which the last wins", raw('9, "size": 1.5')),
    taken("gzip, which MLflow refuses", gzip.compress(json.dumps(record()).encode()),
          headers={"Content-Encoding": "gzip"}),
    refused("nothing", b"", "JSON"),
    refused("half a body", json.dumps(record()).encode()[:-3], "JSON"),
    refused("something behind the body", json.dumps(record()).encode() + b"x", "JSON"),
    refused("bytes that are no UTF-8", raw('"\xff"').decode().encode("latin-1"), "JSON"),
    refused("UTF-16", json.dumps(record()).encode("utf-16"), "JSON"),
    refused("half a letter", raw('"\\ud800"'), "JSON"),
    refused("5000 lists in each other, on which MLflow fails", b"[" * 5000, "JSON"),
    refused("a comment", json.dumps(record()).encode() + b" // x", "JSON"),
    taken("no type, on which MLflow fails", record(), content_type=""),
    taken("a type in capitals, which MLflow refuses", record(), content_type="Application/JSON"),
    taken("UTF-8 by name", record(), content_type="application/json; charset=utf-8"),
    taken("UTF-8 in quotes", record(), content_type='application/json; charset="UTF-8"'),
    refused("another charset", record(), "UTF-8", status=415,
            content_type="application/json; charset=latin-1"),
    refused("another parameter", record(), "UTF-8", status=415,
            content_type="application/json; format=pandas-split"),
    refused("another type", record(), JSON, status=415, content_type="text/plain"),
    refused("curl's own type", record(), JSON, status=415,
            content_type="application/x-www-form-urlencoded"),
]  # fmt: skip

CASES: Final = [pytest.param(case, id=case.name) for case in (*SHAPES, *CELLS, *BODIES)]


def send(running: Running, case: Case) -> Reply:
    body = case.sent if isinstance(case.sent, bytes) else json.dumps(case.sent).encode()
    types = {"Content-Type": case.content_type} if case.content_type else {}
    return running.server.send("/invocations", body, types | case.headers)


def score(row: dict[str, Any]) -> float:
    """Return what the model answers to a row."""
    total: float = sum(weight * row[name] for name, weight in WEIGHTS.items())
    return total + (RED if row["color"] == "red" else 0)


@pytest.mark.parametrize("case", CASES)
def test_the_scoring_protocol(summing: Running, case: Case) -> None:
    reply = send(summing, case)

    assert reply.status == case.status, reply.body
    assert reply.headers["content-type"] == JSON
    if case.status == 200:
        expected = [score(ROW | changes) for changes in case.means]
        assert reply.json == {"predictions": pytest.approx(expected)}
        return
    assert set(reply.json) == ERROR_KEYS
    for piece in case.says:
        assert piece in reply.json["message"]


METHODS: Final = [("GET", 405), ("PUT", 405), ("OPTIONS", 405), ("DELETE", 405), ("HEAD", 405)]


@pytest.mark.parametrize(("method", "status"), METHODS)
def test_methods_that_are_not_allowed_are_told_which_is(
    summing: Running, method: str, status: int
) -> None:
    reply = summing.server.send("/invocations", None, {}, method=method)

    assert (reply.status, reply.headers["allow"]) == (status, "POST")


def test_what_mlflow_serves_beside_predictions(summing: Running) -> None:
    """`/ping` and `/health` are asked by SageMaker and by people's probes."""
    ping, version = summing.server.ask("/ping"), summing.server.ask("/version")

    assert (ping.status, ping.body) == (200, b"\n")
    assert (version.status, version.body.count(b".")) == (200, 2)
    assert summing.server.send("/invocations/", b"{}", {}).status == 404  # MLflow redirects
