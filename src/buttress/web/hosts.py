"""The hosts that a service answers for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import orjson
from werkzeug.wrappers import Response

from buttress.errors import Code
from buttress.web.problems import PROBLEM_JSON
from buttress.web.request_id import request_id_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_HOST = re.compile(r"([0-9A-Za-z._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?")
#: Hosts that are remembered, since a domain may have any number of subdomains.
KNOWN = 1000


class Hosts:
    """Let requests in that name an allowed host; ``.example.com`` allows its subdomains too."""

    def __init__(self, allowed: Iterable[str]) -> None:
        names = {name.lower() for name in allowed}
        self._names = frozenset(name.removeprefix(".") for name in names)
        self._domains = tuple(name for name in names if name.startswith("."))
        self._known: set[str] = set()

    def refuse(self, environ: WSGIEnvironment) -> Response | None:
        """Answer a request for another host, before anything of the application's sees it."""
        host = environ.get("HTTP_HOST") or ""
        if host in self._known:
            return None
        if not self._allows(host):
            return _refusal(environ)
        if len(self._known) >= KNOWN:
            self._known.clear()
        self._known.add(host)
        return None

    def _allows(self, host: str) -> bool:
        name, _ = parts_of_host(host.lower())
        return name is not None and (name in self._names or name.endswith(self._domains))


def parts_of_host(host: str) -> tuple[str | None, str | None]:
    """Split ``name:port``; no name where it is malformed, no port where there is none."""
    match = _HOST.fullmatch(host)
    return (match[1], match[2]) if match else (None, None)


def is_host_pattern(text: str) -> bool:
    """Tell whether a text names a host, or with a dot before it a domain; it has no port."""
    name, port = parts_of_host(text.removeprefix("."))
    bracketed = text.startswith(".[")
    return name is not None and port is None and not name.startswith(".") and not bracketed


def _refusal(environ: WSGIEnvironment) -> Response:
    problem = {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "This service is not known by that host.",
        "code": Code.BAD_REQUEST,
        "request_id": request_id_of(environ),
    }
    return Response(orjson.dumps(problem), 400, mimetype=PROBLEM_JSON)
