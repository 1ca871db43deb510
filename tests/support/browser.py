"""Debian's Chromium without a screen, driven over its own debugging protocol.

It finds no host but this one: what it shows came from the server that it was sent to.
"""

import asyncio
import base64
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from support.eventually import eventually_async

_START_SECONDS = 60.0
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # it refuses to run as root with one
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1280,1600",
    "--remote-debugging-port=0",
)
_BAD_EVENTS = ("Runtime.exceptionThrown", "Network.loadingFailed")


class Page:
    """One page of the browser.

    Attributes:
        failures: What went wrong in it: scripts that raised, and what could not be loaded.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.failures: list[dict[str, Any]] = []
        self._socket = socket
        self._numbers = count(1)

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Return the result of a command; its names are Chromium's."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json()
            if message.get("method") in _BAD_EVENTS:
                self.failures.append(message["params"])
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    async def evaluate(self, expression: str) -> Any:  # noqa: ANN401 - any value of JavaScript
        """Return what an expression gives."""
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def open(self, url: str) -> None:
        """Go to an address, noting from now on what fails."""
        await self.call("Runtime.enable")
        await self.call("Network.enable")
        await self.call("Page.navigate", url=url)

    async def find(self, selector: str, *, deadline_seconds: float = 20) -> str:
        """Wait for something on the page and return its text."""
        expression = f"document.querySelector({selector!r})?.textContent"
        text: str = await eventually_async(
            lambda: self.evaluate(expression), deadline_seconds=deadline_seconds, describe=selector
        )
        return text

    async def click(self, selector: str) -> None:
        """Wait for something on the page and click on it."""
        await self.find(selector)
        await self.evaluate(f"document.querySelector({selector!r}).click()")

    async def take_picture(self, file: Path, selector: str) -> None:
        """Write what the page looks like around something on it."""
        await self.evaluate(f"document.querySelector({selector!r}).scrollIntoView()")
        picture = await self.call("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(picture["data"]))  # noqa: ASYNC240 - nobody else waits


@asynccontextmanager
async def browse(directory: Path) -> AsyncIterator[Page]:
    """Start a browser that keeps everything in a folder, and end it."""
    program = shutil.which("chromium")
    assert program, "chromium is missing; run `make clients`"
    profile = directory / "profile"
    with (directory / "chromium.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - starting it takes no time
            [program, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        port = await _read_port(profile)
        async with aiohttp.ClientSession() as session:
            url = await _find_page(session, port)
            async with session.ws_connect(url, max_msg_size=0) as socket:
                yield Page(socket)
                await socket.send_json({"id": 0, "method": "Browser.close"})
                await asyncio.to_thread(process.wait, 10)
    finally:
        process.kill()
        process.wait()


async def _read_port(profile: Path) -> int:
    file = profile / "DevToolsActivePort"
    await eventually_async(
        lambda: file.exists() and file.read_text().count("\n") >= 1,
        deadline_seconds=_START_SECONDS,
        describe="the browser opens its port",
    )
    return int(file.read_text().splitlines()[0])


async def _find_page(session: aiohttp.ClientSession, port: int) -> str:
    async def look() -> str:
        async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
            pages = [entry for entry in await answer.json() if entry["type"] == "page"]
        return str(pages[0]["webSocketDebuggerUrl"]) if pages else ""

    return await eventually_async(look, deadline_seconds=_START_SECONDS, describe="a page")
