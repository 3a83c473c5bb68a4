"""Everything that Buttress takes from the private side of Flask and Werkzeug, in one place.

Flask is pinned ``<3.2``; a newer one is a change to this file (see ``docs/flask-versions.md``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextvars import ContextVar, Token
from itertools import takewhile
from typing import TYPE_CHECKING, Any, TypeAlias

from flask import Flask
from flask.ctx import RequestContext, _sentinel
from flask.globals import _cv_app, _cv_request
from flask.helpers import _split_blueprint_path as blueprint_path
from flask.sansio.blueprints import Blueprint as SansioBlueprint
from werkzeug._internal import _wsgi_decoding_dance as decoded
from werkzeug.datastructures import Headers
from werkzeug.exceptions import default_exceptions
from werkzeug.routing import Map, Rule
from werkzeug.routing.matcher import State
from werkzeug.routing.rules import RulePart
from werkzeug.wsgi import _get_server as server_of

from buttress.errors import Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from flask.typing import ErrorHandlerCallable
    from flask.wrappers import Response
    from werkzeug.routing import BaseConverter

__all__ = [
    "NOT_GIVEN", "RegistrationGuard", "RequestContext", "Rule", "RulePart", "State",
    "StatusHandlers", "Tokens", "blueprint_path", "bytes_of", "converters_of", "current_environ",
    "cv_app", "cv_request", "decoded", "headers_of", "nested_in", "paths_of", "plain_response",
    "server_of",
]  # fmt: skip

#: One object of ours stands in both, for which their types have no name.
cv_app: ContextVar[Any] = _cv_app
cv_request: ContextVar[Any] = _cv_request
Tokens: TypeAlias = tuple[Token[Any], Token[Any]]
NOT_GIVEN: Any = _sentinel


class RegistrationGuard(Flask):
    """A `flask.Flask` whose subclass decides until when registration is allowed."""

    def may_register(self, what: str) -> bool:
        """Tell whether ``what``, a registering method, is allowed whatever Flask says."""
        return False

    def end_setup(self) -> None:
        """Note that requests are answered from now on, as Flask does at the first one."""
        self._got_first_request = True

    def _check_setup_finished(self, f_name: str) -> None:
        if not self.may_register(f_name):
            super()._check_setup_finished(f_name)


class StatusHandlers(Flask):
    """A `flask.Flask` whose handlers of a status get a `Problem` of that status too.

    Flask knows the status of a class only, and that of a `Problem` is its own. Handlers of a
    class that is made of `Problem` come before those of a status.
    """

    def _find_error_handler(
        self, e: Exception, blueprints: list[str]
    ) -> ErrorHandlerCallable | None:
        if isinstance(e, Problem) and (kind := default_exceptions.get(e.code or 500)):
            own = takewhile(lambda it: it is not Problem, type(e).__mro__)
            places = [(getattr(it, "code", None), it) for it in own] + [(e.code, kind)]
            for name in (*blueprints, None):
                for code, it in places:
                    if found := self.error_handler_spec[name][code].get(it):
                        return found
        return super()._find_error_handler(e, blueprints)


def current_environ() -> WSGIEnvironment | None:
    """Give the environment of the request in progress, without making a request object."""
    context = cv_request.get(None)
    if context is None:
        return None
    environ: WSGIEnvironment | None = context.__dict__.get("environ")
    return context.request.environ if environ is None else environ


def nested_in(blueprint: SansioBlueprint) -> Iterator[SansioBlueprint]:
    """Give the blueprints that are registered on a blueprint, at any depth."""
    for inner, _ in blueprint._blueprints:
        yield inner
        yield from nested_in(inner)


def paths_of(url_map: Map) -> State | None:
    """Give the state from which Werkzeug matches paths of the default subdomain.

    ``None`` where a domain has variable parts, so that it must be matched too.
    """
    url_map.update()
    root = url_map._matcher._root
    return None if root.dynamic else root.static.get(url_map.default_subdomain or "", State())


def converters_of(rule: Rule) -> dict[str, BaseConverter]:
    """Give the converters of a rule by variable, in the order of its path."""
    return rule._converters


def plain_response(
    kind: type[Response],
    status: tuple[str, int],
    headers: list[tuple[str, str]],
    body: Iterable[bytes],
) -> Response:
    """Make a response of known parts, as ``kind(body, status, headers)`` does at more expense."""
    response = kind.__new__(kind)
    response.headers = made = Headers()
    made._list = headers
    response._status, response._status_code = status
    response.response = body
    response.direct_passthrough = False
    response._on_close = []
    return response


def headers_of(response: Response) -> list[tuple[str, str]]:
    """Give the list in which a response keeps its headers."""
    return response.headers._list


def bytes_of(response: Response) -> bytes | None:
    """Give the body of a response that is one piece and has nothing to close, else ``None``."""
    pieces = response.response
    if type(pieces) is not list or len(pieces) != 1 or response._on_close:
        return None
    piece = pieces[0]
    return piece if type(piece) is bytes else None
