"""`fetch` against servers that speak S3's protocol and mean no good, or are out of order."""

import ssl
from pathlib import Path

import pytest

from regisseur_contract.exits import (
    ARTIFACT_INVALID,
    ARTIFACT_MISSING,
    CONFIGURATION,
    STORE_DENIED,
    STORE_UNAVAILABLE,
)
from regisseur_devcluster.certificates import Authority
from support.hostile_store import Behaviour, Exchange, hostile_store
from support.serving_process import Ended, run_fetch

URI = "s3://bucket/1/model"
PREFIX = "1/model/"
TOKEN = "example-session-token"
DEEP = pytest.mark.deep


def fetch(behave: Behaviour, target: Path, *, timeout_seconds: float = 15.0) -> Ended:
    """Run it against a server that behaves like this."""
    with hostile_store(behave) as url:
        return fetch_from(url, target, timeout_seconds=timeout_seconds)


def fetch_from(url: str, target: Path, *, timeout_seconds: float = 15.0, **more: str) -> Ended:
    """Run it with credentials that a server could repeat."""
    return run_fetch(
        URI,
        "http://127.0.0.1:1",
        target,
        timeout_seconds=timeout_seconds,
        AWS_ENDPOINT_URL_S3=url,
        AWS_ACCESS_KEY_ID="EXAMPLEKEY",
        AWS_SECRET_ACCESS_KEY="example-secret",
        AWS_SESSION_TOKEN=TOKEN,
        **more,
    )


def serve_one_file(exchange: Exchange) -> None:
    is_asked_for_keys = is_listing(exchange)
    exchange.answer(listing(f"{PREFIX}MLmodel") if is_asked_for_keys else b"abcd")


def failure(ended: Ended, target: Path, code: int = STORE_UNAVAILABLE) -> str:
    """The reason of a failed fetch, which left nothing behind and gave nothing away."""
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
    assert TOKEN not in ended.stderr
    assert "example-secret" not in ended.stderr
    assert not [path for path in target.parent.glob("*") if path.name != "termination-log"]
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    return last


def is_listing(exchange: Exchange) -> bool:
    return "list-type=2" in exchange.path


def listing(*keys: str, size: int = 4, more: str = "") -> bytes:
    contents = "".join(f"<Contents><Key>{key}</Key><Size>{size}</Size></Contents>" for key in keys)
    parts = f"<EncodingType>url</EncodingType>{contents}{more}"
    return f"<ListBucketResult>{parts}</ListBucketResult>".encode()


def refusal(code: str, message: str = "") -> bytes:
    return f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "volume" / "current"


def test_a_server_that_is_away_for_a_moment_costs_a_moment(target: Path) -> None:
    troubles = {1: (503, "SlowDown"), 2: (500, "InternalError"), 4: (400, "RequestTimeout")}

    def behave(exchange: Exchange) -> None:
        if exchange.number in troubles:
            status, code = troubles[exchange.number]
            exchange.answer(refusal(code), status=status)
        elif is_listing(exchange):
            exchange.answer(listing(f"{PREFIX}MLmodel"))
        elif exchange.number == 5:
            exchange.answer(b"ab", length=4)
        else:
            exchange.answer(b"abcd")

    ended = fetch(behave, target)
    assert ended.returncode == 0, ended.stderr
    assert (target / "MLmodel").read_bytes() == b"abcd"
    assert ended.stderr.count("trying again") == 4


def test_a_certificate_of_its_own_is_trusted_where_that_is_said(
    tmp_path: Path, target: Path
) -> None:
    authority = Authority(tmp_path / "certificates")
    authority.create()
    pair = authority.server("bucket", hosts=["127.0.0.1"])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.certificate, pair.key)
    with hostile_store(serve_one_file, tls) as url:
        unknown = fetch_from(url, target, timeout_seconds=4.0)
        named = fetch_from(url, target, AWS_CA_BUNDLE=f"{authority.pair.certificate}\n")
        ignored = fetch_from(url, tmp_path / "other" / "current", MLFLOW_S3_IGNORE_TLS="true")
    assert "certificate verify failed" in unknown.stderr
    assert unknown.returncode == STORE_UNAVAILABLE
    assert (named.returncode, named.stderr) == (0, "")
    assert (ignored.returncode, ignored.stderr) == (0, "")


def test_credentials_in_the_address_are_refused_and_not_repeated(target: Path) -> None:
    ended = fetch_from("http://user:example-secret@127.0.0.1:1", target)
    assert "holds a user name" in failure(ended, target, CONFIGURATION)


def test_a_listing_in_pages_is_read_to_its_end(target: Path) -> None:
    def behave(exchange: Exchange) -> None:
        if not is_listing(exchange):
            exchange.answer(b"abcd")
        elif "continuation-token=second%2Bpage" in exchange.path:
            exchange.answer(listing(f"{PREFIX}b"))
        else:
            more = (
                "<IsTruncated>true</IsTruncated>"
                "<NextContinuationToken>second+page</NextContinuationToken>"
            )
            exchange.answer(listing(f"{PREFIX}MLmodel", f"{PREFIX}a", more=more))

    ended = fetch(behave, target)
    assert ended.returncode == 0, ended.stderr
    assert sorted(path.name for path in target.iterdir()) == ["MLmodel", "a", "b"]


def test_pages_without_end_are_given_up(target: Path) -> None:
    def behave(exchange: Exchange) -> None:
        keys = (f"{PREFIX}{exchange.number}-{number}" for number in range(4000))
        more = (
            "<IsTruncated>true</IsTruncated>"
            f"<NextContinuationToken>{exchange.number}</NextContinuationToken>"
        )
        exchange.answer(listing(*keys, more=more))

    assert "that is no model folder" in failure(fetch(behave, target), target, ARTIFACT_INVALID)


def test_a_page_that_leads_to_itself_is_no_listing(target: Path) -> None:
    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken>"

    ended = fetch(lambda exchange: exchange.answer(listing(more=more)), target, timeout_seconds=2.0)
    assert "same next token" in failure(ended, target)


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        pytest.param(b"", b"H", id="no status line", marks=DEEP),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", id="endless headers", marks=DEEP),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b" ", id="slow listing"),
    ],
)
def test_a_dripping_server_cannot_outlast_the_deadline(
    start: bytes, piece: bytes, target: Path
) -> None:
    def behave(exchange: Exchange) -> None:
        exchange.wfile.write(start)
        exchange.drip(piece)

    reason = failure(fetch(behave, target, timeout_seconds=2.5), target)
    assert "took longer than 2.5 s; stopped before the list of files was complete" in reason


def test_a_dripping_file_tells_how_far_it_came(target: Path) -> None:
    def behave(exchange: Exchange) -> None:
        if is_listing(exchange):
            exchange.answer(listing(f"{PREFIX}MLmodel", size=99999))
        else:
            exchange.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
            exchange.drip(b"x")

    reason = failure(fetch(behave, target, timeout_seconds=2.5), target)
    assert "stopped after 0 of 1 files, 0 of 99999 bytes" in reason


@pytest.mark.parametrize(
    ("body", "length"),
    [
        pytest.param(b"abc", None, id="less than listed", marks=DEEP),
        pytest.param(b"abcde", None, id="more than listed", marks=DEEP),
        pytest.param(b"abc", 4, id="less than announced"),
    ],
)
def test_a_file_of_another_size_is_no_file(body: bytes, length: int | None, target: Path) -> None:
    def behave(exchange: Exchange) -> None:
        if is_listing(exchange):
            exchange.answer(listing(f"{PREFIX}MLmodel"))
        else:
            exchange.answer(body, length=length)

    ended = fetch(behave, target, timeout_seconds=4.0)
    assert "last trouble: " in failure(ended, target)


def test_a_file_without_end_is_not_read_to_it(target: Path) -> None:
    def behave(exchange: Exchange) -> None:
        if is_listing(exchange):
            exchange.answer(listing(f"{PREFIX}MLmodel"))
            return
        exchange.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            exchange.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    ended = fetch(behave, target, timeout_seconds=4.0)
    assert "sent more than 4 bytes of s3://bucket/1/model/MLmodel" in failure(ended, target)


@pytest.mark.parametrize("status", [200, pytest.param(403, marks=DEEP)])
def test_an_answer_without_end_is_not_read_to_it(status: int, target: Path) -> None:
    def behave(exchange: Exchange) -> None:
        head = f"HTTP/1.1 {status} Such\r\nTransfer-Encoding: chunked\r\n\r\n"
        exchange.wfile.write(head.encode())
        while True:
            exchange.wfile.write(b"10000\r\n" + b" " * 65536 + b"\r\n")

    ended = fetch(behave, target, timeout_seconds=4.0)
    assert "answers more than the 8388608 bytes it may" in failure(ended, target)


@pytest.mark.parametrize(
    ("key", "code", "complaint"),
    [
        (f"{PREFIX}..", ARTIFACT_INVALID, "no plain file name"),
        (f"{PREFIX}/etc", ARTIFACT_INVALID, "no plain file name"),
        (f"{PREFIX}a%00b", ARTIFACT_INVALID, "no plain file name"),
        ("elsewhere/MLmodel", STORE_UNAVAILABLE, "keys that it was not asked for"),
    ],
)
def test_a_key_cannot_leave_the_folder(key: str, code: int, complaint: str, target: Path) -> None:
    ended = fetch(lambda exchange: exchange.answer(listing(f"{PREFIX}MLmodel", key)), target)
    assert complaint in failure(ended, target, code)


@pytest.mark.parametrize(
    ("status", "body", "complaint", "code"),
    [
        (403, refusal("AccessDenied", f"{TOKEN} may not"), r"AccessDenied: \[redacted\]", 77),
        (403, b"<html>", "answered 403", STORE_DENIED),
        (400, refusal("ExpiredToken", "is over"), "correct AWS_ACCESS_KEY_ID", STORE_DENIED),
        (404, refusal("NoSuchBucket"), "there is no such bucket", ARTIFACT_MISSING),
        (404, b"", "answered 404", STORE_UNAVAILABLE),
        (400, refusal("AuthorizationHeaderMalformed"), "set AWS_REGION", STORE_UNAVAILABLE),
        (200, b"<html>", "answered 500 to ListObjectsV2", STORE_UNAVAILABLE),
        (404, b"<html>", "answered 404 .* that is no answer of S3", STORE_UNAVAILABLE),
    ],
)
def test_a_refusal_says_whose_fault_it_is_and_what_to_look_at(
    status: int, body: bytes, complaint: str, code: int, target: Path
) -> None:
    ended = fetch(
        lambda exchange: exchange.answer(body, status=status),
        target,
        timeout_seconds=4.0 if status == 200 else 15.0,
    )
    with pytest.raises(AssertionError, match=complaint):
        raise AssertionError(failure(ended, target, code))


@pytest.mark.parametrize("body", [b"", refusal("PermanentRedirect")])
def test_credentials_are_not_sent_to_where_a_redirect_leads(body: bytes, target: Path) -> None:
    elsewhere: list[str] = []

    def listen(exchange: Exchange) -> None:
        elsewhere.append(exchange.path)
        exchange.answer(listing(f"{PREFIX}MLmodel"))

    with hostile_store(listen) as other:

        def behave(exchange: Exchange) -> None:
            exchange.answer(body, status=307, Location=f"{other}{exchange.path}")

        ended = fetch(behave, target)
    assert "answers every question with a redirect; set AWS_REGION" in failure(ended, target)
    assert elsewhere == []
