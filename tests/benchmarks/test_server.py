"""A server is started, checked, and ended in any case."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.load.server import NotServing, Subject, serving

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")

PROGRAM = """
from http.server import BaseHTTPRequestHandler, HTTPServer
import json, sys

class Items(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({{"id": int(self.path.split("/")[2]) + {wrong}, "name": "item"}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

HTTPServer(("127.0.0.1", int(sys.argv[1])), Items).serve_forever()
"""


def subject(code: str) -> Subject:
    """Make a subject of a Python program that has no braces."""
    return Subject("it", ["python", "-c", code.replace("{", "{{").replace("}", "}}"), "{port}"])


def test_serving() -> None:
    """A server that answers rightly is there inside the context, and gone after it."""
    with serving(subject(PROGRAM.format(wrong=0)), {0}) as server:
        assert server.process.poll() is None
    assert server.process.returncode == -15


def test_ended_after_an_error() -> None:
    """A server is ended when its context fails."""
    with pytest.raises(KeyboardInterrupt), serving(subject(PROGRAM.format(wrong=0)), {0}) as server:
        raise KeyboardInterrupt
    assert server.process.returncode == -15


def test_wrong_answer() -> None:
    """A server that answers with something else is not measured."""
    with (
        pytest.raises(NotServing, match='it: it answers application/json b\'{"id": 2,'),
        serving(subject(PROGRAM.format(wrong=1)), {0}),
    ):
        pytest.fail("it was served")


def test_server_that_does_not_start() -> None:
    """A server that ends is reported with what it wrote to standard error."""
    with (
        pytest.raises(NotServing, match=r"(?s)it: it ended with 1\n.*no such module"),
        serving(subject("raise SystemExit('no such module')"), {0}),
    ):
        pytest.fail("it was served")
