"""Between a server and the application: what PEP 3333 asks for and servers leave out."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

from werkzeug.wsgi import ClosingIterator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Headers: TypeAlias = "list[tuple[str, str]]"
Failure: TypeAlias = (
    "tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None"
)

CLOSE = ("Connection", "close")
_NOT_IN_NAMES = re.compile(r"[^!#$%&'*+\-.^_`|~0-9A-Za-z]")


@lru_cache(maxsize=1024)
def lowered(name: str) -> str:
    """Give the name of a header in lower case. Raises `ValueError` where it is no token."""
    if not name or _NOT_IN_NAMES.search(name):
        raise ValueError(f"The response header {name!r} has no valid name.")
    return name.lower()


def check_value(name: str, value: str) -> None:
    """Raise `ValueError` for a value that would end its header early (RFC 9110, 5.5)."""
    if "\n" in value or "\r" in value or "\0" in value:
        raise ValueError(f"The response header {name} has a line break or NUL in its value.")


class Gateway:
    """Run an application behind a server that speaks WSGI itself.

    A request header ``Proxy`` is dropped, since code that makes requests takes ``HTTP_PROXY``
    for the proxy to use. A body with a length is not called terminated, so that werkzeug counts
    it and sees when it came short. Response headers are checked, and calls are counted.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        #: Set once kept connections shall end with their next answer.
        self.leaving = False
        #: Requests that are being answered.
        self.busy = 0
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ.pop("HTTP_PROXY", None)
        if environ.get("CONTENT_LENGTH"):
            environ.pop("wsgi.input_terminated", None)
        self._count(1)
        try:
            body = self._app(environ, self._checked(start_response))
        except BaseException:
            self._count(-1)
            raise
        return ClosingIterator(body, lambda: self._count(-1))

    def _checked(self, start_response: StartResponse) -> Any:
        def checked(
            status: str, headers: Headers, exc_info: Failure = None
        ) -> Callable[[bytes], Any]:
            for name, value in headers:
                lowered(name)
                check_value(name, value)
            if self.leaving:
                headers = [it for it in headers if it[0].lower() != "connection"] + [CLOSE]
            return start_response(status, headers, exc_info)

        return checked

    def _count(self, change: int) -> None:
        with self._lock:
            self.busy += change
