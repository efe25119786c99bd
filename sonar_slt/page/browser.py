"""An installed Chromium, asked over a pipe to open a page, run a line of script in it and take a picture.

It speaks the DevTools protocol with nothing but the standard library: json ended by a null byte on two pipes, so that
no port is opened. The browser has a profile of its own that goes with it, and only this very process is ended.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from sonar_slt.errors import UserError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OPTIONS = ("--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--hide-scrollbars", "--mute-audio",
           "--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--force-color-profile=srgb")  # fmt: skip
READS, WRITES = 3, 4
"""The file descriptors at which the browser looks for its two pipes."""
PATIENCE = 60.0
"""Seconds that an answer may take on a busy machine."""
TALLEST = 16_000
"""Pixels of a window's height: beyond that no picture is taken of all of it."""


def installed() -> str | None:
    """The path of a Chromium, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page in one browser; use it in a `with` block, which ends the browser.

    `events` are what the page told since it was opened, as the protocol names them.
    """

    def __init__(self, *, width: int = 1280, height: int = 900, scale: float = 1.0) -> None:
        """Start the browser that is installed, with a window of this size in css pixels."""
        program = installed()
        if program is None:
            raise UserError(f"No Chromium was found, which takes the picture: install one of {', '.join(NAMES[:3])}.")
        self.events: list[dict[str, Any]] = []
        self._profile = tempfile.mkdtemp(prefix="sonar-slt-browser-")
        self._buffer, self._number, self._session = b"", 0, ""
        self._pid, self._out, self._in = _started(program, self._profile)
        try:
            target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
            self._session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
            for room in ("Page", "Runtime", "Network", "Log"):
                self.call(f"{room}.enable")
            self.resize(width, height, scale=scale)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What the page answers to a method of the protocol."""
        return self._call(method, parameters, self._session)

    def open(self, path: Path, hash: str = "") -> None:
        """Open a file and wait until it is loaded."""
        self.events.clear()
        address = path.resolve().as_uri() + (f"#{hash}" if hash else "")
        self.call("Page.navigate", url=address)
        self.wait_for("Page.loadEventFired")

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description") or details.get("text"))
        return answer["result"].get("value")

    def resize(self, width: int, height: int, *, scale: float = 1.0) -> None:
        """Change the size of the window, in css pixels; `scale` is how many real ones stand for each."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def prefer(self, *, theme: Literal["light", "dark"] | None = None, still: bool = False) -> None:
        """What the system of the reader is said to prefer."""
        features = [
            {"name": "prefers-color-scheme", "value": theme or "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"},
        ]
        self.call("Emulation.setEmulatedMedia", features=features)

    def press(self, key: str) -> None:
        """Press and let go a key, by its name."""
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def picture(self) -> bytes:
        """What the window shows, as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def wait_for(self, event: str) -> dict[str, Any]:
        """The next event of that name."""
        until = time.monotonic() + PATIENCE
        while True:
            message = self._read(until)
            if message.get("method") == event:
                return message

    def close(self) -> None:
        """End the browser and remove its profile."""
        with contextlib.suppress(OSError):
            os.killpg(self._pid, signal.SIGKILL)  # the group that was made for it, so that its own children end too
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)
        for pipe in (self._out, self._in):
            with contextlib.suppress(OSError):
                os.close(pipe)
        for _ in range(20):  # its children may write for a moment longer
            shutil.rmtree(self._profile, ignore_errors=True)
            if not os.path.exists(self._profile):
                break
            time.sleep(0.05)

    def _call(self, method: str, parameters: Mapping[str, Any], session: str = "") -> dict[str, Any]:
        self._number += 1
        words = {"id": self._number, "method": method, "params": dict(parameters)}
        message = json.dumps({**words, **({"sessionId": session} if session else {})}).encode() + b"\0"
        while message:
            message = message[os.write(self._out, message) :]
        until = time.monotonic() + PATIENCE
        while True:
            answer = self._read(until)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error'].get('message')}")
                result: dict[str, Any] = answer["result"]
                return result

    def _read(self, until: float) -> dict[str, Any]:
        """The next message; an event is kept."""
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError(f"Chromium did not answer within {PATIENCE:.0f} s.")
            piece = os.read(self._in, 1 << 20)
            if not piece:
                raise RuntimeError("Chromium has ended; `chromium --headless` on its own may tell why.")
            self._buffer += piece
        line, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self.events.append(message)
        return message


def _started(program: str, profile: str) -> tuple[int, int, int]:
    """Process id, and the pipes to write to and to read from."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    # Out of the way of 3 and 4, at which they are put in the new process.
    high = [fcntl.fcntl(pipe, fcntl.F_DUPFD_CLOEXEC, 10) for pipe in (theirs_in, theirs_out)]
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # which root cannot have
    words = [program, *OPTIONS, *sandbox, f"--user-data-dir={profile}", "about:blank"]
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, high[0], READS),
        (os.POSIX_SPAWN_DUP2, high[1], WRITES),
    ]
    try:
        pid = os.posix_spawn(program, words, os.environ, file_actions=actions, setpgroup=0)
    finally:
        for pipe in (theirs_in, theirs_out, *high):
            os.close(pipe)
    return pid, ours_out, ours_in
