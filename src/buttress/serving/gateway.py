"""Between a server and the application: what PEP 3333 asks for and servers leave out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Headers: TypeAlias = "list[tuple[str, str]]"
Failure: TypeAlias = (
    "tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None"
)

_NOT_IN_VALUES = re.compile(r"[\0\r\n]")
_NOT_IN_NAMES = re.compile(r"[^!#$%&'*+\-.^_`|~0-9A-Za-z]")


def check_header(name: str, value: str) -> None:
    """Raise `ValueError` for a header that would end early or begin another (RFC 9110, 5.5)."""
    if not name or _NOT_IN_NAMES.search(name):
        raise ValueError(f"The response header {name!r} has no valid name.")
    if _NOT_IN_VALUES.search(value):
        raise ValueError(f"The response header {name} has a line break or NUL in its value.")


class Gateway:
    """Run an application behind a server of the WSGI kind.

    A request header ``Proxy`` is dropped, since code that runs requests of its own takes
    ``HTTP_PROXY`` for the proxy to use; response headers are checked.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        environ.pop("HTTP_PROXY", None)

        def checked(
            status: str, headers: Headers, exc_info: Failure = None
        ) -> Callable[[bytes], Any]:
            for name, value in headers:
                check_header(name, value)
            return start_response(status, headers, exc_info)

        return self._app(environ, checked)
