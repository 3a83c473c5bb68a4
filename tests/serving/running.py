"""A service that runs as its users run it: a process of its own, on a free port."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from buttress.serving import ServingSettings

#: Seconds after which a service that does not do what is awaited has failed the test.
PATIENCE = 15.0

#: What is a setting of the service; other names are environment variables as they are.
KEYS = frozenset({*(it.upper() for it in ServingSettings.__struct_fields__), "MODE", "SECRET_KEY"})

PACKAGE = '''
import os
import time

from flask import Response, g, jsonify, request, send_file, stream_with_context

from buttress import Extension, create_app


class Life(Extension):
    name = "life"

    def build(self, app, settings):
        return self

    def start(self, it):
        print(f"started {os.getpid()}", flush=True)
        if os.environ.get("FAIL_START"):
            raise RuntimeError("the snow is missing")
        time.sleep(float(os.environ.get("START_TAKES", 0)))

    def close(self, it):
        print(f"closed {os.getpid()}", flush=True)
        if os.environ.get("FAIL_CLOSE"):
            raise RuntimeError("the lift is stuck")


class Raw:
    """Answer what Flask would not let through."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/split":
            start_response("200 OK", [("X-Fine", "1"), ("X-Bad", "a\\r\\nX-Evil: 1")])
            return [b"split"]
        if environ["PATH_INFO"] == "/beyond":
            start_response("200 OK", [("X-Price", "10 \u20ac")])
            return [b"beyond"]
        if environ["PATH_INFO"] == "/write":
            write = start_response("200 OK", [("Content-Type", "text/plain")])
            write(b"one ")
            return [b"two"]
        return self.app(environ, start_response)


def pieces(broken=False):
    for number in range(5):
        time.sleep(0.05)
        yield f"piece {number}\\n"
    if broken:
        raise RuntimeError("the avalanche")


def make():
    names = ["log", "web", "security", "cors", "templates", "health", Life]
    app = create_app("shop", extensions=names)
    app.wsgi_app = Raw(app.wsgi_app)

    @app.get("/")
    def index():
        return "here"

    @app.get("/pid")
    def pid():
        return str(os.getpid())

    @app.get("/slow")
    def slow():
        print("has begun", flush=True)
        time.sleep(float(request.args.get("seconds", 1)))
        return "slow but whole"

    @app.get("/exit")
    def leave():
        raise SystemExit(3)

    @app.get("/stream")
    def stream():
        return Response(pieces())

    @app.get("/own/<int:number>")
    def own(number):
        def told():
            for _ in range(4):
                time.sleep(0.02)
                yield f"{g.number} {request.path} "

        g.number = number
        return stream_with_context(told())

    @app.get("/measured/<length>")
    def measured(length):
        return Response(iter(["piece"]), headers={"Content-Length": length})

    @app.get("/file")
    def file():
        return send_file(__file__, etag=False)

    @app.get("/left")
    def left():
        return list(g)

    @app.get("/breaks")
    def breaks():
        return Response(pieces(broken=True))

    @app.get("/breaks-with-length")
    def breaks_with_length():
        return Response(pieces(broken=True), headers={"Content-Length": "9999"})

    @app.get("/environ")
    def environ():
        return jsonify({key: str(value) for key, value in request.environ.items()})

    @app.get("/secret")
    def secret():
        return jsonify(known=app.secret_key is not None, visible="SHOP_SECRET_KEY" in os.environ)

    if os.environ.get("ANSWER_ALL"):
        app.before_request(lambda: request.get_data() + b" seen")

    @app.post("/echo")
    def echo():
        return request.get_data()

    return app
'''
RUN = """
import sys

from buttress.errors import SetupError
from buttress.serving import serve
from shop import make

if __name__ == "__main__":
    try:
        sys.exit(serve(make()))
    except SetupError as error:
        print(f"mistake: {error}", file=sys.stderr)
        sys.exit(2)
"""


@dataclass(frozen=True)
class Answer:
    """One answer: status, headers with lower-case names, body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Running:
    """A service in a process, and what it wrote."""

    def __init__(self, folder: Path, command: list[str], settings: Mapping[str, Any]) -> None:
        self.log = folder / f"log-{time.monotonic_ns()}.txt"
        given = {"HOST": "127.0.0.1", "PORT": 0, "DRAIN_GRACE": 0, **settings}
        environ = {f"SHOP_{it}" if it in KEYS else it: str(given[it]) for it in given}
        environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environ}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=folder,
                env=environ,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.address: tuple[str, int] | str = ("", 0)

    def text(self) -> str:
        """Give what the service wrote until now."""
        return self.log.read_text(errors="replace")

    def until(self, pattern: str, seconds: float = PATIENCE) -> re.Match[str]:
        """Wait until the service has written something, and give the match."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.text())):
            ended = self.process.poll() is not None and not re.search(pattern, self.text())
            assert not ended, f"ended with {self.process.returncode}:\n{self.text()}"
            assert time.monotonic() < end, f"no {pattern!r} in:\n{self.text()}"
            time.sleep(0.02)
        return found

    def until_ready(self) -> Running:
        """Wait until the service says where it is."""
        found = self.until(r"Serving on (?:http://(\[.+?\]|[^:\s]+):(\d+)|unix:([^\s\"]+))")
        self.address = found[3] or (found[1].strip("[]"), int(found[2]))
        return self

    def connect(self, timeout: float = 8) -> socket.socket:
        """Open a connection."""
        if isinstance(self.address, tuple):
            return socket.create_connection(self.address, timeout)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        connection.connect(self.address)
        return connection

    def ask(self, path: str, method: str = "GET", **options: Any) -> Answer:
        """Make one request on a connection of its own."""
        client = http.client.HTTPConnection("shop.test")
        client.sock = self.connect()
        try:
            client.request(method, path, **options)
            response = client.getresponse()
            headers = {
                name.lower(): ", ".join(response.headers.get_all(name, []))
                for name in response.headers
            }
            return Answer(response.status, headers, response.read())
        finally:
            client.close()

    def send(self, raw: bytes, seconds: float = 3) -> bytes:
        """Send bytes, and give all that comes back until the end or so many seconds."""
        received = b""
        with self.connect(seconds) as connection:
            connection.sendall(raw)
            try:
                while piece := connection.recv(65536):
                    received += piece
            except (TimeoutError, ConnectionResetError):
                pass
        return received

    def is_refusing(self) -> bool:
        """Tell whether nobody listens any more; a moment's silence is not yet a refusal."""
        try:
            self.connect(timeout=0.5).close()
        except ConnectionRefusedError:
            return True
        except TimeoutError:
            pass
        return False

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal to the supervisor."""
        self.process.send_signal(number)

    def ended(self, seconds: float = PATIENCE) -> int:
        """Wait for the end, and give the exit code."""
        return self.process.wait(seconds)

    def end(self) -> None:
        """Kill whatever is left of it; workers follow their supervisor."""
        self.process.kill()
        self.process.wait()


def write_service(folder: Path) -> Path:
    """Write the package ``shop`` and the file that serves it, and give the folder."""
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").write_text(PACKAGE)
    (folder / "run.py").write_text(RUN)
    return folder
