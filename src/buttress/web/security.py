"""The extension ``security``: the headers that protect an answer, and who sees it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from secrets import token_urlsafe
from typing import TYPE_CHECKING, ParamSpec, TypedDict, TypeVar, Unpack

from flask import current_app
from msgspec.structs import replace

from buttress.engine.flaskcompat import current_environ
from buttress.extension import Extension
from buttress.web.edge import Headers, edge_of
from buttress.web.nonce import with_place_for_nonce
from buttress.web.settings import SecuritySettings
from buttress.web.template_globals import offer_to_templates

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from buttress.service import Service

P = ParamSpec("P")
R = TypeVar("R")

POLICY = "Content-Security-Policy"
#: Where the environment says who makes a request, for what completes its answer. It decides
#: nothing.
PRINCIPAL = "buttress.auth.principal"
#: Where it has what this answer needs beside the headers of all.
KEY = "buttress.security"
#: Bytes of a nonce (CSP Level 3, 7.1 asks for 16).
NONCE_BYTES = 16


class Changes(TypedDict, total=False):
    """What a route may change, named as the settings; an empty value sends no header."""

    content_type_options: str
    frame_options: str
    referrer_policy: str
    permissions_policy: str
    content_policy: str
    page_policy: str
    transport: str


class Wish:
    """What one answer needs beside the headers of all."""

    changes: Changes | None = None
    nonce: str | None = None


class Lines:
    """The headers that one group of settings gives."""

    def __init__(self, settings: SecuritySettings) -> None:
        plain = {
            "X-Content-Type-Options": settings.content_type_options,
            "X-Frame-Options": settings.frame_options,
            "Referrer-Policy": settings.referrer_policy,
            "Permissions-Policy": settings.permissions_policy,
        }
        self._plain = _lines(plain)
        self._data = _lines({POLICY: settings.content_policy})
        self._page = _lines({POLICY: settings.page_policy})
        self._https = _lines({"Strict-Transport-Security": settings.transport})
        self._around_nonce = with_place_for_nonce(settings.page_policy)

    def of(self, content_type: str, https: bool, nonce: str | None = None) -> Headers:
        """Give the headers of an answer of this type, with a nonce where it has one."""
        page = content_type in ("text/html", "application/xhtml+xml")
        # What has no type is no document; the policy of a 304 would replace that of the page which
        # the browser has kept (RFC 9111, 3.2).
        policy = self._page if page else self._data if content_type else []
        if page and policy and nonce is not None:
            policy = [(POLICY, nonce.join(self._around_nonce))]
        return self._plain + policy + (self._https if https else [])


class Security:
    """What ``app.security`` is: the headers that every answer gets."""

    def __init__(self, settings: SecuritySettings) -> None:
        self._settings = settings
        self._lines = Lines(settings)
        self._changed: dict[tuple[tuple[str, object], ...], Lines] = {}

    def lines(self, content_type: str, https: bool) -> Headers:
        """Give the headers of an answer of this type."""
        return self._lines.of(content_type, https)

    def csp_nonce(self) -> str:
        """Give the nonce of this answer, for ``<script nonce=…>`` and ``<style nonce=…>``.

        Raises `RuntimeError` outside a request.
        """
        environ = current_environ()
        if environ is None:
            raise RuntimeError("csp_nonce() belongs to an answer, and there is no request.")
        wish = _wish_of(environ)
        if wish.nonce is None:
            wish.nonce = token_urlsafe(NONCE_BYTES)
        return wish.nonce

    def finish(self, environ: WSGIEnvironment, headers: Headers) -> None:
        """Do what an answer needs beside the headers of all; most need nothing."""
        if KEY in environ:
            self._grant(environ[KEY], environ["wsgi.url_scheme"] == "https", headers)
        if environ.get(PRINCIPAL):
            _keep_from_caches(headers)

    def _grant(self, wish: Wish, https: bool, headers: Headers) -> None:
        """Replace our own lines by those that are wished for; the view's own stay."""
        kind = _content_type(headers)
        ours = self._lines.of(kind, https)
        headers[:] = [line for line in headers if line not in ours]
        present = {name.lower() for name, _ in headers}
        wanted = self._lines_with(wish.changes).of(kind, https, wish.nonce)
        headers += [line for line in wanted if line[0].lower() not in present]

    def _lines_with(self, changes: Changes | None) -> Lines:
        if not changes:
            return self._lines
        key = tuple(changes.items())
        if key not in self._changed:
            self._changed[key] = Lines(replace(self._settings, **changes))
        return self._changed[key]


class SecurityExtension(Extension[SecuritySettings, Security]):
    """Send security headers with every answer."""

    name = "security"
    settings = SecuritySettings

    def build(self, app: Service, settings: SecuritySettings) -> Security:
        """Make it."""
        security = Security(settings)
        edge = edge_of(app)
        edge.constants.append(security.lines)
        edge.finishers.append(security.finish)
        offer_to_templates(app, "csp_nonce", security.csp_nonce)
        return security


def security_headers(**changes: Unpack[Changes]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Change the security headers of one view, errors that it raises included.

    Raises `TypeError` for an unknown name, and `ValueError` for what cannot stand in a header.
    """
    problems = list(SecuritySettings(**changes).problems())
    if problems:
        raise ValueError(" ".join(problems))

    def change(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def changed(*args: P.args, **kwargs: P.kwargs) -> R:
            environ = current_environ()
            if environ is not None:
                _wish_of(environ).changes = changes
            answer: R = current_app.ensure_sync(view)(*args, **kwargs)
            return answer

        return changed

    return change


def _wish_of(environ: WSGIEnvironment) -> Wish:
    if KEY not in environ:
        environ[KEY] = Wish()
    wish: Wish = environ[KEY]
    return wish


def _content_type(headers: Headers) -> str:
    found = next((value for name, value in headers if name.lower() == "content-type"), "")
    return found.partition(";")[0].strip().lower()


def _keep_from_caches(headers: Headers) -> None:
    """Say ``no-store``, unless the view speaks of caches; ``no-cache`` Flask says of every file."""
    said = [line for line in headers if line[0].lower() == "cache-control"]
    if all(value == "no-cache" for _, value in said):
        headers[:] = [line for line in headers if line not in said]
        headers.append(("Cache-Control", "no-store"))


def _lines(headers: dict[str, str]) -> Headers:
    return [(name, value) for name, value in headers.items() if value]
