"""A headless Chromium, driven by the Chrome DevTools Protocol: the pages as people meet them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import aiohttp

if TYPE_CHECKING:
    from types import TracebackType

_INSTALLED = Path(__file__).parents[1] / ".venv" / "chromium"
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)


class PageError(Exception):
    """Something on the page failed: the exception's text, as the browser words it."""


class Browser:
    """One browser with one page. `requested` holds the URL of everything that the page asked for.

    It is the Chromium that `make` installs, or else the one on PATH.
    """

    def __init__(self, width: int = 1200, height: int = 800) -> None:
        self.requested: list[str] = []
        self.errors: list[str] = []
        self._size = (width, height)
        self._number = 0
        self._runner = asyncio.Runner()
        self._ends = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Start it and open an empty page."""
        installed = _INSTALLED / "chromium"
        program = str(installed) if installed.exists() else shutil.which("chromium")
        assert program, "make .venv/chromium, or install chromium"
        profile = self._ends.enter_context(
            tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        )
        process = subprocess.Popen(
            [program, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "LD_LIBRARY_PATH": str(_INSTALLED / "lib"), "HOME": profile},
            text=True,
        )
        self._ends.callback(self._end, process)
        assert process.stderr is not None
        found = next(
            found for line in process.stderr if (found := re.search(r"on ws://(\S+?)/", line))
        )
        # What it says from here on is thrown away, so that the pipe never fills.
        sink = subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)
        process.stderr.close()
        self._ends.callback(sink.wait)
        self._ends.callback(self._end, process)
        self._runner.run(self._connect(found[1]))
        self.send("Page.enable")
        self.send("Runtime.enable")
        self.send("Network.enable")
        width, height = self._size
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, with everything that it left."""
        self._runner.run(self._disconnect())
        self._ends.close()
        self._runner.close()

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> None:
        process.terminate()
        process.wait(timeout=30)

    async def _connect(self, address: str) -> None:
        self._session = aiohttp.ClientSession()
        async with self._session.get(f"http://{address}/json") as answer:
            (page,) = [one for one in await answer.json() if one["type"] == "page"]
        self._socket = await self._session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0)

    async def _disconnect(self) -> None:
        await self._socket.close()
        await self._session.close()

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the protocol; returns its result. Raises PageError."""
        return self._runner.run(self._send(method, parameters))

    async def _send(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            said = await self._next()
            if said.get("id") == self._number:
                if "error" in said:
                    raise PageError(said["error"]["message"])
                result: dict[str, Any] = said["result"]
                return result

    async def _next(self) -> dict[str, Any]:
        said: dict[str, Any] = await self._socket.receive_json(timeout=60)
        match said.get("method"):
            case "Network.requestWillBeSent":
                self.requested.append(said["params"]["request"]["url"])
            case "Runtime.exceptionThrown":
                details = said["params"]["exceptionDetails"]
                self.errors.append(
                    details.get("exception", {}).get("description") or details["text"]
                )
            case "Page.loadEventFired":
                self._loaded = True
        return said

    def open(self, url: str) -> None:
        """Open an address and wait until it has loaded."""
        self._loaded = False
        self.send("Page.navigate", url=url)
        self._runner.run(self._load())

    async def _load(self) -> None:
        while not self._loaded:
            await self._next()

    def run(self, expression: str) -> Any:
        """The value of an expression on the page; a promise's once it is kept. Raises PageError."""
        answer = self.send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise PageError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def press(self, key: str, *, code: int = 0, text: str = "") -> None:
        """Press a key: `Tab` (9), `Enter` (13, with the text of a carriage return), a letter."""
        one = {"key": key, "windowsVirtualKeyCode": code}
        if text:
            one["text"] = text
        self.send("Input.dispatchKeyEvent", type="keyDown", **one)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def prefer(self, scheme: str) -> None:
        """Prefer a colour scheme: `dark` or `light`."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", features=features)

    def screenshot(self, path: Path) -> None:
        """Write what is to be seen as a PNG file."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))
