"""The extension ``cors``: which foreign pages may read the answers (the Fetch standard)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from werkzeug.wrappers import Response

from buttress.extension import Extension
from buttress.web.edge import Headers, edge_of
from buttress.web.settings import CorsSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from buttress.service import Service

#: A list of field names (RFC 9110, 5.1), which is all that a browser asks for.
_FIELD_NAMES = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z, -]*")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what pages of other origins may do on the paths that ``pattern`` matches."""

    pattern: re.Pattern[str]
    origins: tuple[str, ...]
    methods: tuple[str, ...]
    allow_headers: tuple[str, ...]
    expose_headers: tuple[str, ...]
    supports_credentials: bool
    max_age: int

    @property
    def open(self) -> bool:
        """Tell whether any page may read the answers."""
        return "*" in self.origins

    def answers(self) -> tuple[Mapping[str, Headers], Headers]:
        """Give the headers of ordinary answers: by origin, and for all other requests."""
        if self.open:
            anybody = ("Access-Control-Allow-Origin", "*")
            return {}, [anybody, *self._exposed(), *self._allowed()]
        vary = ("Vary", "Origin")
        more = [*self._credentials(), *self._exposed()]
        return {
            origin: [vary, ("Access-Control-Allow-Origin", origin), *more]
            for origin in self.origins
        }, [vary]

    def preflight_headers(self, origin: str, asked: str) -> Headers:
        """Give the headers that answer a preflight; ``asked`` are the request headers it names."""
        if not self.open and origin not in self.origins:
            return []
        return [*self._allowed(asked), ("Access-Control-Max-Age", str(self.max_age))]

    def _allowed(self, asked: str = "*") -> Headers:
        headers = asked if "*" in self.allow_headers else ", ".join(self.allow_headers)
        lines = {
            "Access-Control-Allow-Methods": ", ".join(self.methods),
            "Access-Control-Allow-Headers": headers,
        }
        return [(name, value) for name, value in lines.items() if value]

    def _exposed(self) -> Headers:
        names = ", ".join(self.expose_headers)
        return [("Access-Control-Expose-Headers", names)] if names else []

    def _credentials(self) -> Headers:
        return [("Access-Control-Allow-Credentials", "true")] if self.supports_credentials else []


class Cors:
    """What ``app.cors`` is: the policies, of which the first that fits a path holds."""

    def __init__(self, settings: CorsSettings) -> None:
        self.policies = [
            Policy(pattern=re.compile(path), **options)
            for path, options in settings.rules().items()
        ]
        self._answers = [(policy.pattern.match, *policy.answers()) for policy in self.policies]

    def policy_of(self, path: str) -> Policy | None:
        """Find the policy of a path; ``None`` where it is closed to foreign pages."""
        return next((each for each in self.policies if each.pattern.match(path)), None)

    def finish(self, environ: WSGIEnvironment, headers: Headers) -> None:
        """Add what the browser needs to know before it gives an answer to a foreign page."""
        path = _path(environ)
        for fits, by_origin, otherwise in self._answers:
            if fits(path):
                _merge(headers, by_origin.get(environ.get("HTTP_ORIGIN", ""), otherwise))
                return

    def preflight(self, environ: WSGIEnvironment) -> Response | None:
        """Answer a preflight, which carries no credentials, before any login of the service's."""
        if environ["REQUEST_METHOD"] != "OPTIONS":
            return None
        if "HTTP_ORIGIN" not in environ or "HTTP_ACCESS_CONTROL_REQUEST_METHOD" not in environ:
            return None
        policy = self.policy_of(_path(environ))
        if policy is None:
            return None
        asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
        if not _FIELD_NAMES.fullmatch(asked):
            asked = ""
        response = Response(status=204)
        del response.headers["Content-Type"]
        response.headers.extend(policy.preflight_headers(environ["HTTP_ORIGIN"], asked))
        response.vary.update(["Access-Control-Request-Method", "Access-Control-Request-Headers"])
        return response


class CorsExtension(Extension[CorsSettings, Cors]):
    """Let pages of other origins read the answers, where the settings say so."""

    name = "cors"
    settings = CorsSettings

    def build(self, app: Service, settings: CorsSettings) -> Cors:
        """Make it; nothing is put into the request path while everything is closed."""
        cors = Cors(settings)
        if cors.policies:
            edge_of(app).shortcuts.append(cors.preflight)
            edge_of(app).finishers.append(cors.finish)
        return cors


def _path(environ: WSGIEnvironment) -> str:
    """Give the path as the routes see it: one slash at its begin, and no bytes as Latin-1."""
    path: str = environ.get("PATH_INFO", "")
    if path[:2] == "//":
        path = "/" + path.lstrip("/")
    return path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")


def _merge(headers: Headers, lines: Headers) -> None:
    """Add lines to an answer; what the handler itself says of origins stays alone."""
    present = {name.lower(): place for place, (name, _) in enumerate(headers)}
    own = "access-control-allow-origin" in present
    for line in lines:
        place = present.get(line[0].lower())
        if line[0] == "Vary" and place is not None:
            headers[place] = ("Vary", _with_word(headers[place][1], line[1]))
        elif place is None and (line[0] == "Vary" or not own):
            headers.append(line)


def _with_word(words: str, word: str) -> str:
    known = {each.strip().lower() for each in words.split(",")}
    return words if "*" in known or word.lower() in known else f"{words}, {word}"
