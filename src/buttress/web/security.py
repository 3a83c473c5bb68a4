"""The extension ``security``: plain security headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buttress.extension import Extension
from buttress.web.edge import Headers, edge_of
from buttress.web.settings import SecuritySettings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from buttress.service import Service


class Security:
    """What ``app.security`` is: the headers that every answer gets."""

    def __init__(self, settings: SecuritySettings) -> None:
        plain = {
            "X-Content-Type-Options": settings.content_type_options,
            "X-Frame-Options": settings.frame_options,
            "Referrer-Policy": settings.referrer_policy,
        }
        policy = "Content-Security-Policy"
        self._data = _lines({**plain, policy: settings.content_policy})
        self._page = _lines({**plain, policy: settings.page_policy})
        self._https = _lines({"Strict-Transport-Security": settings.transport})

    def finish(self, environ: WSGIEnvironment, headers: Headers) -> None:
        """Add the headers that the answer does not have yet."""
        present = {name.lower(): value for name, value in headers}
        wanted = self._page if _is_page(present.get("content-type", "")) else self._data
        if environ["wsgi.url_scheme"] == "https":
            wanted = wanted + self._https
        headers += [line for lower, line in wanted if lower not in present]


class SecurityExtension(Extension[SecuritySettings, Security]):
    """Send security headers with every answer."""

    name = "security"
    settings = SecuritySettings

    def build(self, app: Service, settings: SecuritySettings) -> Security:
        """Make it."""
        security = Security(settings)
        edge_of(app).finishers.append(security.finish)
        return security


def _lines(headers: dict[str, str]) -> tuple[tuple[str, tuple[str, str]], ...]:
    return tuple((name.lower(), (name, value)) for name, value in headers.items() if value)


def _is_page(content_type: str) -> bool:
    return content_type.startswith(("text/html", "application/xhtml+xml"))
