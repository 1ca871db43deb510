"""Whatever a server answers, the registry adapter gives up in time and says why."""

import asyncio
import json

import pytest

from regisseur_operator.adapters.mlflow_registry import MlflowRegistry
from regisseur_operator.api.reasons import Reason
from regisseur_operator.errors import OperatorError, TerminalError, UnreachableError
from regisseur_operator.ports import RegisteredModel
from support.hostile_server import (
    Behaviour,
    build_answer,
    drip,
    flood,
    say,
    serve,
    stay_silent,
)
from support.mlflow_server import free_port

REBINDING = b"Invalid Host header - possible DNS rebinding attack detected"


async def fail_to_search(url: str, *, timeout_seconds: float = 5.0) -> OperatorError:
    """Return the error that a search ends in."""
    registry = MlflowRegistry(url, timeout_seconds=timeout_seconds)
    try:
        with pytest.raises(OperatorError) as caught:
            await registry.search_models(["wine"])
    finally:
        await registry.close()
    return caught.value


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(stay_silent, id="it never answers"),
        pytest.param(drip, id="it drips a byte at a time"),
    ],
)
async def test_a_slow_server_meets_the_hard_deadline(behaviour: Behaviour) -> None:
    async with serve(behaviour) as url:
        error = await fail_to_search(url, timeout_seconds=0.3)

    assert isinstance(error, UnreachableError)
    assert "did not answer within 0.3 s" in str(error)


async def test_an_endless_answer_is_cut_off() -> None:
    async with serve(flood) as url:
        error = await fail_to_search(url)

    assert isinstance(error, UnreachableError)
    assert "more than 16 MiB" in str(error)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(
            build_answer(b"<html>welcome</html>", content_type="text/html"),
            "text/html instead of a JSON object",
            id="a web page",
        ),
        pytest.param(build_answer(b"[1, 2]"), "instead of a JSON object", id="a list"),
        pytest.param(build_answer(b""), "instead of a JSON object", id="nothing"),
        pytest.param(build_answer(b"\xff\xfe\x00"), "instead of a JSON object", id="raw bytes"),
        pytest.param(build_answer(b"[" * 200_000), "instead of a JSON object", id="a deep nest"),
        pytest.param(
            build_answer(b'{"registered_models": "many"}'),
            "nonsense to registered-models/search: registered_models",
            id="a wrong shape",
        ),
        pytest.param(
            build_answer(b'{"registered_models": [{"last_updated_timestamp": 1}]}'),
            "registered_models.0.name",
            id="a model without a name",
        ),
        pytest.param(
            build_answer(b"bad gateway", status="502 Bad Gateway", content_type="text/plain"),
            "answered 502",
            id="a gateway's error",
        ),
        pytest.param(
            build_answer(b"", status="302 Found"), "answered 302", id="a way to somewhere else"
        ),
        pytest.param(
            build_answer(b"not found", status="404 Not Found", content_type="text/plain"),
            "answered 404",
            id="another program's 404",
        ),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", "cannot be reached", id="another protocol"),
        pytest.param(b"", "cannot be reached", id="a closed connection"),
    ],
)
async def test_nonsense_is_no_answer(answer: bytes, message: str) -> None:
    async with serve(say(answer)) as url:
        error = await fail_to_search(url)

    assert isinstance(error, UnreachableError)
    assert message in str(error)
    assert "\n" not in str(error)


async def test_nobody_there_is_no_answer() -> None:
    error = await fail_to_search(f"http://127.0.0.1:{free_port()}")

    assert isinstance(error, UnreachableError)
    assert "cannot be reached" in str(error)


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
async def test_a_refusal_asks_for_a_person(status: str) -> None:
    async with serve(say(build_answer(b"Permission denied", status=status))) as url:
        error = await fail_to_search(url)

    assert isinstance(error, TerminalError)
    assert error.reason == Reason.REGISTRY_DENIED
    assert "Permission denied" in str(error)


async def test_the_host_check_comes_with_its_remedy() -> None:
    answer = build_answer(REBINDING, status="403 Forbidden", content_type="text/plain")
    async with serve(say(answer)) as url:
        error = await fail_to_search(url)

    assert isinstance(error, TerminalError)
    assert error.reason == Reason.REGISTRY_DENIED
    assert "--allowed-hosts '127.0.0.1*'" in str(error)


async def test_a_model_of_another_name_is_not_the_one_that_was_asked_for() -> None:
    answer = json.dumps({"registered_models": [{"name": "Wine"}]}).encode()
    async with serve(say(build_answer(answer))) as url:
        registry = MlflowRegistry(url, timeout_seconds=5.0)
        assert await registry.search_models(["wine"]) == {}
        await registry.close()


async def test_pages_that_never_end_are_ended() -> None:
    version = {"name": "wine", "version": "1"}
    page = json.dumps({"model_versions": [version] * 200, "next_page_token": "more"}).encode()
    async with serve(say(build_answer(page))) as url:
        registry = MlflowRegistry(url, timeout_seconds=10.0)
        async with asyncio.timeout(15):
            versions = await registry.versions("wine")
        await registry.close()

    assert [v.version for v in versions] == [1]


async def test_pages_of_other_models_that_never_end_are_ended() -> None:
    other = {"name": 'it\'s "vine"', "version": "1"}
    page = json.dumps({"model_versions": [other] * 200, "next_page_token": "more"}).encode()
    async with serve(say(build_answer(page))) as url:
        registry = MlflowRegistry(url, timeout_seconds=10.0)
        async with asyncio.timeout(15):
            assert list(await registry.versions('it\'s "wine"')) == []
        await registry.close()


async def test_a_version_that_fell_between_two_pages_is_not_taken_for_deleted() -> None:
    # While the first page was read, version 9 was deleted and 2 moved to where 3 had been.
    shifted = [_page(9, 3, more="2"), _page(1), _page(3, 2, more="2"), _page(1)]
    async with serve(_in_turn(shifted)) as url:
        registry = MlflowRegistry(url, timeout_seconds=5.0)
        with pytest.raises(UnreachableError, match=r"changed while .* listed them"):
            await registry.versions("wine")
        await registry.close()


def _page(*numbers: int, more: str = "") -> bytes:
    versions = [{"name": "wine", "version": str(number)} for number in numbers]
    document = {"model_versions": versions, "next_page_token": more}
    return build_answer(json.dumps(document).encode())


def _in_turn(answers: list[bytes]) -> Behaviour:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0))
        await writer.drain()

    return answer


async def test_versions_are_asked_for_in_ever_smaller_pages_and_then_no_more() -> None:
    async with serve(flood) as url:
        calls: list[str] = []
        registry = MlflowRegistry(url, timeout_seconds=10.0, count=calls.append)
        with pytest.raises(UnreachableError, match="more than 16 MiB"):
            await registry.versions("wine")
        await registry.close()

    assert calls == ["failed"] * 9, "500 is halved eight times until it is 1"


async def test_a_name_that_is_asked_for_alone_fails_alone() -> None:
    odd = build_answer(b"Permission denied", status="403 Forbidden")
    plain = json.dumps({"registered_models": [{"name": "wine"}]}).encode()
    async with serve(_in_turn([build_answer(plain), odd])) as url:
        registry = MlflowRegistry(url, timeout_seconds=5.0)
        found = await registry.search_models(["it's", "wine"])
        await registry.close()

    assert isinstance(found["wine"], RegisteredModel)
    assert isinstance(found["it's"], TerminalError)


@pytest.mark.parametrize("host", ["mlflow..svc", f"{'m' * 64}.svc"])
async def test_a_host_that_is_no_name_is_not_reached(host: str) -> None:
    error = await fail_to_search(f"http://{host}:5000")

    assert isinstance(error, UnreachableError)
    assert "cannot be reached" in str(error)
