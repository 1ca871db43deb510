"""A program that drives KServe's own client: requests as lines of JSON in, answers as lines out.

It is run by the interpreter of an environment that holds KServe, and imports nothing of ours.

Usage: kserve_program.py BASE_URL
"""

import asyncio
import json
import sys
from typing import Any

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig
from kserve.protocol.infer_type import RequestedOutput

MODEL = "wine"


async def ask(client: InferenceRESTClient, base_url: str, question: dict[str, Any]) -> object:
    """Return what the client answers to one question."""
    model = question.get("model", MODEL)
    match question["ask"]:
        case "live":
            return await client.is_server_live(base_url)
        case "ready":
            return await client.is_server_ready(base_url)
        case "model":
            return await client.is_model_ready(base_url, model)
        case _:
            answer = await client.infer(base_url, build_request(question), model_name=model)
            return {
                "model_name": answer.model_name,
                "id": answer.id,
                "outputs": {output.name: describe(output) for output in answer.outputs},
            }


def build_request(question: dict[str, Any]) -> InferRequest:
    """Return the request that a question describes; `binary` is about inputs and outputs."""
    inputs = [build_input(entry, binary=question["binary"]) for entry in question["inputs"]]
    outputs = [
        RequestedOutput(name, parameters={"binary_data": question["binary"]})
        for name in question["outputs"]
    ]
    return InferRequest(
        model_name=question.get("model", MODEL),
        infer_inputs=inputs,
        request_id=question.get("id"),
        request_outputs=outputs or None,
        parameters=question.get("parameters"),
    )


def build_input(entry: dict[str, Any], *, binary: bool) -> InferInput:
    """Return an input, filled by the client itself."""
    types = {"FP64": np.float64, "INT64": np.int64, "BYTES": np.object_}
    values: Any = np.array(entry["data"], dtype=types[entry["datatype"]])
    filled = InferInput(entry["name"], list(values.shape), entry["datatype"])
    filled.set_data_from_numpy(values, binary_data=binary)
    return filled


def describe(output: Any) -> list[Any]:  # noqa: ANN401 - the client comes without types
    """Return the values of an output, with NaN as null."""
    values = [v.decode() if isinstance(v, bytes) else v for v in output.as_numpy().ravel().tolist()]
    return [None if isinstance(value, float) and np.isnan(value) else value for value in values]


async def answer_lines(base_url: str) -> None:
    """Answer every line with a line."""
    async with InferenceRESTClient(RESTConfig(protocol="v2", timeout=30)) as client:
        for line in sys.stdin:
            try:
                reply = {"answer": await ask(client, base_url, json.loads(line))}
            except Exception as error:  # noqa: BLE001 - the test is told of whatever went wrong
                reply = {"error": f"{type(error).__name__}: {error}"}
            sys.stdout.write(f"{json.dumps(reply)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(answer_lines(sys.argv[1]))
