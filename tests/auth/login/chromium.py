"""Chromium without a screen, driven by its own protocol over a pair of pipes.

It is used as somebody with a keyboard uses it: pages are opened, text is typed, keys are pressed.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers import miss

#: Seconds that it may take to answer.
PATIENCE = 30.0
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
KEYS = {"Enter": (13, "\r"), "Tab": (9, "")}
#: Nothing but this machine is asked, whatever a page names.
OPTIONS = (
    *("--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu"),
    *("--no-first-run", "--disable-dev-shm-usage", "--ignore-certificate-errors"),
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
#: It reads from descriptor 3 and writes to 4.
START = """
import fcntl, os, sys
reading, writing = (fcntl.fcntl(int(it), fcntl.F_DUPFD, 10) for it in sys.argv[1:3])
os.dup2(reading, 3)
os.dup2(writing, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Chromium:
    """One page of a browser, on a small screen."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read = write, read
        self._last = 0
        self._rest = b""
        self._loaded = 0
        self._session: str | None = None
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        attached = self.tell("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self.tell("Page.enable")
        screen = {"width": 320, "height": 568, "deviceScaleFactor": 1, "mobile": False}
        self.tell("Emulation.setDeviceMetricsOverride", **screen)

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command, and give what it answers."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while True:
            answer = self._next(end)
            if answer.get("id") == self._last:
                assert "error" not in answer, answer["error"]
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, url: str) -> None:
        """Open a page."""
        before = self._loaded
        self.tell("Page.navigate", url=url)
        self._wait(before)

    def type(self, text: str) -> None:
        """Type a text into the field that has the focus."""
        self.tell("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Press a key."""
        code, text = KEYS[key]
        options = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        for kind, more in (("keyDown" if text else "rawKeyDown", {"text": text}), ("keyUp", {})):
            self.tell("Input.dispatchKeyEvent", type=kind, **options, **more)

    def submit(self) -> None:
        """Press Enter, and wait for the page that follows."""
        before = self._loaded
        self.press("Enter")
        self._wait(before)

    def arrive(self, url: str) -> None:
        """Wait until a page that begins so is there, to which others lead by themselves."""
        end = time.monotonic() + PATIENCE
        while not (self.url.startswith(url) and self._is_complete):
            assert time.monotonic() < end, f"it is at {self.url}"
            time.sleep(0.01)

    def focus(self, selector: str) -> None:
        """Go to an element."""
        root = self.tell("DOM.getDocument")["root"]["nodeId"]
        node = self.tell("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.tell("DOM.focus", nodeId=node)

    @property
    def url(self) -> str:
        """Give the address of the page."""
        found: str = self.tell("Page.getFrameTree")["frameTree"]["frame"]["url"]
        return found

    @property
    def text(self) -> str:
        """Give the page as it is written."""
        root = self.tell("DOM.getDocument")["root"]["nodeId"]
        html: str = self.tell("DOM.getOuterHTML", nodeId=root)["outerHTML"]
        return html

    def picture(self, path: Path) -> None:
        """Keep a picture of the page."""
        shot = self.tell("Page.captureScreenshot")
        path.write_bytes(base64.b64decode(shot["data"]))

    @property
    def _is_complete(self) -> bool:
        answer = self.tell("Runtime.evaluate", expression="document.readyState")
        return bool(answer["result"]["value"] == "complete")

    def _wait(self, before: int) -> None:
        end = time.monotonic() + PATIENCE
        while self._loaded == before:
            self._next(end)

    def _next(self, end: float) -> dict[str, Any]:
        """Give the next message."""
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], max(0.0, end - time.monotonic()))
            got = os.read(self._read, 65_536) if ready else b""
            assert got, "Chromium does not answer"
            self._rest += got
        message, _, self._rest = self._rest.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        self._loaded += told.get("method") == "Page.loadEventFired"
        return told


@contextmanager
def chromium(folder: Path) -> Iterator[Chromium]:
    """Run it with a profile of its own; a test skips where it is not installed."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        miss("Chromium is not installed; `apt-get install chromium` installs it on Debian")
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    options = [*OPTIONS, f"--user-data-dir={folder}"]
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(theirs_in), str(theirs_out), program, *options],
        pass_fds=(theirs_in, theirs_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Chromium(ours_out, ours_in)
    finally:
        os.close(ours_out)
        os.close(ours_in)
        try:
            process.wait(5)  # without its pipes it ends by itself
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
