"""Whoever opens `/docs` in a browser presses a button and gets a prediction, in any protocol."""

import json
from pathlib import Path

import pytest

from support.browser import Page, browse
from support.running_servers import Running

pytestmark = pytest.mark.timeout(120, func_only=True)
"""A browser takes its time to start on a busy machine."""

PREDICT = "#operations-default-predict"
INVOCATIONS = "#operations-default-invocations"
INFER = "#operations-Open_Inference_Protocol-v2_infer"


async def test_the_prefilled_examples_are_executed(linear: Running, tmp_path: Path) -> None:
    async with browse(tmp_path) as page:
        await page.open(f"http://{linear.address}/docs")
        answers = [await execute(page, operation) for operation in (PREDICT, INVOCATIONS, INFER)]
        await page.take_picture(tmp_path / "docs.png", f"{PREDICT} .live-responses-table")

    assert page.failures == []
    assert [status for status, _ in answers] == ["200"] * 3
    predicted, invoked, inferred = (json.loads(body) for _, body in answers)
    expected = linear.folder.predictions[:2]
    assert predicted["predictions"] == invoked["predictions"] == expected
    assert inferred["outputs"][0]["data"] == expected


async def execute(page: Page, operation: str) -> tuple[str, str]:
    """Press the buttons of an operation, and return status and body of the answer."""
    for button in (".opblock-summary-control", ".try-out__btn", ".execute"):
        await page.click(f"{operation} {button}")
    answer = f"{operation} .live-responses-table tr.response .response-col"
    return await page.find(f"{answer}_status"), await page.find(f"{answer}_description code")
