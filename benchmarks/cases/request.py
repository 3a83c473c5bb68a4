"""A request as a WSGI server hands it over, and the answer that it gets."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


@dataclass(frozen=True)
class Request:
    """One request; ``headers`` are named as in a WSGI environ."""

    path: str
    method: str = "GET"
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def environ(self) -> WSGIEnvironment:
        """Give what a server makes of it, without the body's stream."""
        return {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": "",
            "REQUEST_URI": self.path,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_PORT": "50000",
            "HTTP_HOST": "127.0.0.1:8000",
            "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101",
            "HTTP_ACCEPT": "application/json, text/plain, */*",
            "HTTP_ACCEPT_ENCODING": "gzip, deflate, br",
            "HTTP_ACCEPT_LANGUAGE": "en",
            "HTTP_CONNECTION": "keep-alive",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **dict(self.headers),
        }


@dataclass(frozen=True)
class Answer:
    """What an application answered."""

    status: int
    body: bytes


def ask(app: WSGIApplication, request: Request) -> Answer:
    """Make one request and look at the answer."""
    statuses: list[str] = []

    def start_response(status: str, *_: Any) -> Any:
        statuses.append(status)

    environ = request.environ()
    environ["wsgi.input"] = BytesIO(request.body)
    answer = app(environ, start_response)
    try:
        return Answer(body=b"".join(answer), status=int(statuses[-1].split()[0]))
    finally:
        if hasattr(answer, "close"):
            answer.close()
