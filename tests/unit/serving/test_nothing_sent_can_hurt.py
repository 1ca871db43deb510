"""Requests that were made to hurt: deep, long, half a character, endless."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from regisseur_contract.drift import NO_REFERENCE
from regisseur_serving.app.connection import LONGEST_HEAD_BYTES, BoundedConnection
from regisseur_serving.core.profile import Profile, choose_predictions
from regisseur_serving.core.signature import Column, ColumnType, Signature
from regisseur_serving.core.tensors import parse_tensors
from regisseur_serving.errors import InputError
from regisseur_serving.ports.predictor import Prediction
from support.adding_server import Adder, Server, served

INFER = "/v2/models/wïne/ /infer"
GOOD: dict[str, Any] = {
    "inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [0.5, 2]}]
}


@pytest.fixture
def server() -> Server:
    started = Server(max_body_bytes=100_000)
    started.lifecycle.become_ready(served(Adder()))
    return started


async def test_deep_lists_are_refused_at_once(server: Server) -> None:
    body = json.dumps(GOOD).replace("[0.5, 2]", "[" * 900 + "1," * 20_000 + "1" + "]" * 900)
    answer = await server.post(body.encode(), path=INFER)
    assert answer.status == 400
    assert "more than 8 levels" in answer.json["error"]


async def test_nested_lists_are_read_in_their_order() -> None:
    entry = {"name": "x", "shape": [4], "datatype": "FP64", "data": [1, [2, [3]], [[4]]]}
    (tensor,) = parse_tensors({"inputs": [entry]}, b"")
    np.testing.assert_array_equal(tensor.values, [1, 2, 3, 4])


@pytest.mark.parametrize("length", ["1" * 5000, "9" * 13, "-1", "x"])
async def test_lengths_that_are_none_are_refused(server: Server, length: str) -> None:
    headers = {"Inference_Header_Content_Length": length}
    assert (await server.post(GOOD, path=INFER, **headers)).status == 400


async def test_an_id_that_no_answer_can_hold_is_refused(server: Server) -> None:
    body = json.dumps({"id": "ID", "note": "NaN", **GOOD}).replace('"ID"', '"\\ud800"')
    assert (await server.post(body.encode(), path=INFER)).status == 400


async def test_names_of_columns_are_texts_or_numbers(server: Server) -> None:
    deep = "[" * 400 + "]" * 400
    body = f'{{"dataframe_split": {{"columns": [{deep}, "b"], "data": [[1, 2]]}}}}'
    answer = await server.post(body.encode(), path="/invocations")
    assert answer.status == 400
    assert "names of columns" in answer.json["message"]


def test_binary_inputs_are_read_without_copying_the_rest() -> None:
    count = 3000
    entries = [
        {
            "name": f"x{number}",
            "shape": [1],
            "datatype": "BOOL",
            "parameters": {"binary_data_size": 1},
        }
        for number in range(count)
    ]
    with pytest.raises(InputError, match="bytes behind the last"):
        parse_tensors({"inputs": entries}, b"\x01" * (count + 4_000_000))


def test_long_texts_do_not_stay_until_they_are_a_block() -> None:
    signature = Signature((Column("text", ColumnType.STRING),))
    reference = replace(NO_REFERENCE, predictions=choose_predictions(None, None))
    profile = Profile(signature, reference)
    profile.observe({"text": ["x" * 1000]}, Prediction(np.array([1.0])))
    assert profile._tables == []


def test_what_comes_behind_a_body_in_pieces_is_not_kept_and_has_an_end() -> None:
    connection = BoundedConnection.__new__(BoundedConnection)
    connection._is_in_body, connection._trailing = True, 0
    connection.headers = []
    for _ in range(LONGEST_HEAD_BYTES // 1024):
        connection.on_header(b"a" * 24, b"b" * 1000)
    assert connection.headers == []
    with pytest.raises(ValueError, match="Request Header Fields Too Large"):
        connection.on_header(b"a" * 24, b"b" * 1000)
