"""NVIDIA's tritonclient works unchanged against the running server, synchronous and not."""

import http.client
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from support.running_servers import Running

with warnings.catch_warnings(action="ignore"):  # the client's own, on import
    import tritonclient.http as triton
    import tritonclient.http.aio as triton_aio
    from tritonclient.utils import InferenceServerException

pytestmark = pytest.mark.timeout(60, func_only=True)
"""Most of that is for the start of a server on a busy machine."""

Client = Any
Part = Any
"""An input or an output of a request; the client comes without types."""

Infer = Callable[..., Awaitable[Any]]
"""`infer(model, inputs, **more)`, whichever client it is of."""

CLIENTS = ("sync", "aio")


@pytest.fixture
def client(linear: Running) -> Iterator[Client]:
    with triton.InferenceServerClient(linear.address) as client:
        yield client


@pytest_asyncio.fixture
async def aio_client(linear: Running) -> AsyncIterator[Client]:
    async with triton_aio.InferenceServerClient(linear.address) as client:
        yield client


@pytest.fixture(params=CLIENTS)
def infer(request: pytest.FixtureRequest, client: Client, aio_client: Client) -> Infer:
    async def of_sync(*arguments: Any, **more: Any) -> object:
        return client.infer(*arguments, **more)

    return of_sync if request.param == "sync" else aio_client.infer


def matrix(running: Running, rows: int, *, binary: bool = True) -> Part:
    return tensor("x", running.folder.data.head(rows).to_numpy(), "FP64", binary=binary)


def tensor(name: str, values: NDArray[Any], datatype: str, *, binary: bool = True) -> Part:
    given = triton.InferInput(name, list(values.shape), datatype)
    given.set_data_from_numpy(values, binary_data=binary)
    return given


def output(name: str = "predict", *, binary: bool = True) -> Part:
    return triton.InferRequestedOutput(name, binary_data=binary)


# ---- what is asked beside predictions ----------------------------------------------------------


def test_health_of_server_and_model(client: Client) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("wine")
    assert client.is_model_ready("wine", "7")
    assert not client.is_model_ready("wine", "8")
    assert not client.is_model_ready("beer")


def test_metadata_of_server_and_model(client: Client) -> None:
    server, model = client.get_server_metadata(), client.get_model_metadata("wine", "7")

    assert (server["name"], server["extensions"]) == ("regisseur", ["binary_tensor_data"])
    assert (model["name"], model["versions"]) == ("wine", ["7"])
    assert len(model["inputs"]) == 13
    assert model["inputs"][0] == {"name": "alcohol", "datatype": "FP64", "shape": [-1]}
    assert model["outputs"] == [
        {"name": "predict", "datatype": "INT64", "shape": [-1]},
        {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 3]},
    ]


def test_the_index_of_the_repository(client: Client) -> None:
    (entry,) = client.get_model_repository_index()

    assert entry == {"name": "wine", "version": "7", "state": "READY", "reason": ""}


async def test_the_client_that_does_not_block_asks_the_same(aio_client: Client) -> None:
    """It offers compression that it cannot read in metadata, so there is none."""
    assert await aio_client.is_server_live()
    assert await aio_client.is_server_ready()
    assert await aio_client.is_model_ready("wine", "7")
    assert (await aio_client.get_server_metadata())["name"] == "regisseur"
    assert (await aio_client.get_model_metadata("wine"))["platform"] == "sklearn"
    assert (await aio_client.get_model_repository_index())[0]["state"] == "READY"


UNSUPPORTED: list[Any] = [
    pytest.param(lambda client: client.get_model_config("wine"), id="config"),
    pytest.param(lambda client: client.get_inference_statistics("wine"), id="statistics"),
    pytest.param(lambda client: client.load_model("wine"), id="load"),
    pytest.param(lambda client: client.unload_model("wine"), id="unload"),
    pytest.param(lambda client: client.get_log_settings(), id="log settings"),
    pytest.param(lambda client: client.get_trace_settings("wine"), id="trace settings"),
    pytest.param(lambda client: client.get_system_shared_memory_status(), id="shared memory"),
]


@pytest.mark.parametrize("call", UNSUPPORTED)
def test_what_the_server_does_not_do_is_told(
    client: Client, call: Callable[[Client], object]
) -> None:
    with pytest.raises(InferenceServerException) as caught:
        call(client)

    assert caught.value.status() == "404"
    assert "no such route" in caught.value.message()


# ---- predictions -------------------------------------------------------------------------------


@pytest.mark.parametrize("binary_out", [True, False])
@pytest.mark.parametrize("binary_in", [True, False])
async def test_predictions_by_json_and_by_bytes(
    infer: Infer, linear: Running, binary_in: bool, binary_out: bool
) -> None:
    given = [matrix(linear, 20, binary=binary_in)]

    result = await infer("wine", given, outputs=[output(binary=binary_out)])

    assert result.as_numpy("predict").tolist() == linear.folder.predictions[:20]
    has_sizes = "parameters" in result.get_output("predict")
    assert has_sizes is binary_out


@pytest.mark.parametrize("binary", [True, False])
async def test_without_outputs_there_are_predictions(
    infer: Infer, linear: Running, binary: bool
) -> None:
    result = await infer("wine", [matrix(linear, 3, binary=binary)], model_version="7")

    assert result.as_numpy("predict").tolist() == linear.folder.predictions[:3]
    assert (result.get_response()["model_name"], result.get_response()["model_version"]) == (
        "wine",
        "7",
    )


async def test_outputs_come_as_they_were_asked_for(infer: Infer, linear: Running) -> None:
    wanted = [output("predict_proba"), output("predict", binary=False)]

    result = await infer("wine", [matrix(linear, 5)], outputs=wanted)

    assert [entry["name"] for entry in result.get_response()["outputs"]] == [
        "predict_proba",
        "predict",
    ]
    probabilities = result.as_numpy("predict_proba")
    assert probabilities.shape == (5, 3)
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert probabilities.argmax(axis=1).tolist() == result.as_numpy("predict").tolist()


async def test_a_column_a_tensor_in_any_order_and_of_both_kinds(
    infer: Infer, linear: Running
) -> None:
    data = linear.folder.data.head(4)
    columns = [
        tensor(str(name), data[[name]].to_numpy(), "FP64", binary=number % 2 == 0)
        for number, name in reversed(list(enumerate(data.columns)))
    ]

    result = await infer("wine", columns)

    assert result.as_numpy("predict").tolist() == linear.folder.predictions[:4]


@pytest.mark.parametrize("name", ["FP32", "FP16", "INT64", "INT8", "UINT16"])
async def test_numbers_of_other_types(infer: Infer, name: str) -> None:
    types: dict[str, type] = {
        "FP32": np.float32,
        "FP16": np.float16,
        "INT64": np.int64,
        "INT8": np.int8,
        "UINT16": np.uint16,
    }
    values: NDArray[Any] = np.full((2, 13), 3, dtype=types[name])

    result = await infer("wine", [tensor("x", values, name)])

    assert result.as_numpy("predict").shape == (2,)


@pytest.mark.parametrize("binary", [True, False])
async def test_texts_go_both_ways(mixed: Running, binary: bool) -> None:
    data = mixed.folder.data.head(6)
    given = [
        tensor("color", data["color"].to_numpy(dtype=object), "BYTES", binary=binary),
        tensor("size", data["size"].to_numpy(dtype=np.int64), "INT64", binary=not binary),
    ]
    wanted = [output(binary=binary)]

    with triton.InferenceServerClient(mixed.address) as client:
        result = client.infer("wine", given, outputs=wanted)
    async with triton_aio.InferenceServerClient(mixed.address) as aio_client:
        result_aio = await aio_client.infer("wine", given, outputs=wanted)

    for answer in (result, result_aio):
        texts = [
            value.decode() if isinstance(value, bytes) else value
            for value in answer.as_numpy("predict")
        ]
        assert texts == mixed.folder.predictions[:6]


@pytest.mark.parametrize("answer_packing", ["", "gzip", "deflate"])
@pytest.mark.parametrize("packing", ["", "gzip", "deflate"])
async def test_packed_requests_and_answers_that_may_be_packed(
    infer: Infer, linear: Running, packing: str, answer_packing: str
) -> None:
    result = await infer(
        "wine",
        [matrix(linear, 50)],
        request_compression_algorithm=packing or None,
        response_compression_algorithm=answer_packing or None,
    )

    assert result.as_numpy("predict").tolist() == linear.folder.predictions[:50]


async def test_an_id_comes_back(infer: Infer, linear: Running) -> None:
    result = await infer("wine", [matrix(linear, 1)], request_id="Grüße-1")

    assert result.get_response()["id"] == "Grüße-1"


async def test_parameters_of_a_request_are_taken(infer: Infer, linear: Running) -> None:
    result = await infer(
        "wine",
        [matrix(linear, 1)],
        sequence_id=9,
        sequence_start=True,
        priority=1,
        timeout=1_000_000,
        parameters={"mine": "x", "count": 3, "really": True},
    )

    assert result.as_numpy("predict").tolist() == linear.folder.predictions[:1]


def test_many_requests_at_once(linear: Running) -> None:
    with triton.InferenceServerClient(linear.address, concurrency=4) as client:
        asked = [client.async_infer("wine", [matrix(linear, rows)]) for rows in range(1, 41)]
        answers = [request.get_result().as_numpy("predict").tolist() for request in asked]

    assert answers == [linear.folder.predictions[:rows] for rows in range(1, 41)]


def test_a_connection_that_was_idle_is_used_again(linear: Running) -> None:
    """The 5 s of uvicorn's default are over then; here clients are the ones that leave."""
    connection = http.client.HTTPConnection("127.0.0.1", linear.server.port, timeout=10)
    connection.request("GET", "/v2/health/live")
    connection.getresponse().read()
    first = connection.sock.getsockname()
    connection.sock.settimeout(6)
    with pytest.raises(TimeoutError):  # it would return nothing if the server closed
        connection.sock.recv(1)
    connection.sock.settimeout(10)
    connection.request("GET", "/v2/health/live")

    assert connection.getresponse().status == 200
    assert connection.sock.getsockname() == first
    connection.close()


# ---- refusals ----------------------------------------------------------------------------------

WIDE = np.zeros((2, 12))
REFUSED: list[Any] = [
    pytest.param(lambda: [tensor("x", WIDE, "FP64")], {}, "no input 'x'", id="too few columns"),
    pytest.param(
        lambda: [tensor("alcohol", WIDE, "FP64")], {}, "shape [2, 12]", id="a column that is wide"
    ),
    pytest.param(
        lambda: [tensor("alcohol", np.zeros(2), "FP64")], {}, "Field required", id="one of thirteen"
    ),
    pytest.param(
        lambda: [tensor("x", np.zeros((2, 13)), "FP64")] * 2, {}, "one name", id="twice the same"
    ),
    pytest.param(
        lambda: [tensor("x", np.full((1, 13), b"a", dtype=object), "BYTES")],
        {},
        "alcohol",
        id="texts for numbers",
    ),
    pytest.param(
        lambda: [tensor("x", np.zeros((1, 13), dtype=np.float16), "FP16", binary=False)],
        {},
        "FP16 can be sent as binary data only",
        id="half numbers as JSON",
    ),
    pytest.param(
        lambda: [tensor("x", np.zeros((1, 13)), "FP64")],
        {"outputs": ["transform"]},
        "predict, predict_proba",
        id="an output that is none",
    ),
    pytest.param(
        lambda: [tensor("x", np.zeros((0, 13)), "FP64")], {}, "and a row", id="no row in bytes"
    ),
    pytest.param(
        lambda: [tensor("x", np.zeros((0, 13)), "FP64", binary=False)],
        {},
        "and a row",
        id="no row in JSON",
    ),
]


@pytest.mark.parametrize(("build", "more", "message"), REFUSED)
async def test_a_refusal_is_a_message_that_can_be_read(
    infer: Infer, build: Callable[[], list[Any]], more: dict[str, Any], message: str
) -> None:
    wanted = {"outputs": [output(name) for name in more["outputs"]]} if more else {}
    with pytest.raises(InferenceServerException) as caught:
        await infer("wine", build(), **wanted)

    assert caught.value.status() == "400"
    assert message in caught.value.message()
    assert message in str(caught.value)


async def test_an_unknown_model_or_version_is_told(infer: Infer, linear: Running) -> None:
    for model, version in (("beer", ""), ("wine", "8")):
        with pytest.raises(InferenceServerException, match="this server has model 'wine'") as e:
            await infer(model, [matrix(linear, 1)], model_version=version)
        assert e.value.status() == "404"


def test_a_class_of_the_best_is_refused(client: Client, linear: Running) -> None:
    wanted = triton.InferRequestedOutput("predict", class_count=2)

    with pytest.raises(InferenceServerException, match="classification is not supported"):
        client.infer("wine", [matrix(linear, 1)], outputs=[wanted])
