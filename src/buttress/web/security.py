"""The extension ``security``: plain security headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buttress.extension import Extension
from buttress.web.edge import Headers, edge_of
from buttress.web.settings import SecuritySettings

if TYPE_CHECKING:
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

    def lines(self, content_type: str, https: bool) -> Headers:
        """Give the headers of an answer of this type."""
        page = content_type in ("text/html", "application/xhtml+xml")
        return (self._page if page else self._data) + (self._https if https else [])


class SecurityExtension(Extension[SecuritySettings, Security]):
    """Send security headers with every answer."""

    name = "security"
    settings = SecuritySettings

    def build(self, app: Service, settings: SecuritySettings) -> Security:
        """Make it."""
        security = Security(settings)
        edge_of(app).constants.append(security.lines)
        return security


def _lines(headers: dict[str, str]) -> Headers:
    return [(name, value) for name, value in headers.items() if value]
