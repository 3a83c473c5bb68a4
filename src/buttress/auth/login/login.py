"""What the login pages know of the service that they are in."""

from __future__ import annotations

import logging
import weakref
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from flask import Response, current_app, redirect, request, url_for
from werkzeug.exceptions import HTTPException, Unauthorized

from buttress.auth.backends import scheme_of
from buttress.auth.login.target import here, within_site
from buttress.errors import ExtensionError
from buttress.service import Service

if TYPE_CHECKING:
    from flask.sansio.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

    from buttress.auth.login.oidc import Oidc
    from buttress.auth.login.settings import LoginSettings, OidcSettings

logger = logging.getLogger("buttress.auth")

#: Where the service has it, among what the extensions built.
KEY = "auth_login"
#: The user backends that a user can be added to.
WRITABLE = ("sql", "memory")


class Login:
    """The login pages of one service."""

    def __init__(self, app: Service, blueprint: str) -> None:
        self._app = cast("Service", weakref.proxy(app))
        #: What the service has registered the blueprint as.
        self.blueprint = blueprint
        self.settings: LoginSettings = app.settings.auth_login
        self._oidc_settings: OidcSettings = app.settings.auth_oidc

    @property
    def title(self) -> str:
        """Give what users are told that they log in to."""
        return self._app.settings.auth.realm or self._app.name

    @property
    def provider(self) -> str:
        """Name the OpenID provider; nothing where there is none."""
        settings = self._oidc_settings
        host = urlsplit(settings.issuer).hostname
        return "" if host is None else settings.label or host

    @cached_property
    def oidc(self) -> Oidc:
        """Give the client of the OpenID provider. Raises `ExtensionError` without its packages."""
        try:
            module = import_module("buttress.auth.login.oidc")
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith("buttress"):
                raise
            raise ExtensionError(
                "auth",
                f"AUTH_OIDC_ISSUER needs the package '{error.name}': pip install 'buttress[oidc]'.",
            ) from error
        return cast("Oidc", module.Oidc(self._oidc_settings))

    def cookie(self, what: str) -> str:
        """Name a cookie of the login, which only this host can set outside of development."""
        return f"{self._app.auth.session.cookie}-{what}"

    def url(self, view: str, **values: Any) -> str:
        """Give the path of one of the pages."""
        return url_for(f"{self.blueprint}.{view}", **values)

    def target(self, given: str | None) -> str:
        """Give where a login leads to."""
        return within_site(given) or self.settings.home

    def answer(self, error: HTTPException) -> ResponseReturnValue:
        """Send a browser that lacks a login to its page; answer others as if this were not here."""
        if error.code == 401 and self.settings.redirect and _is_navigation() and self._nobody:
            response = redirect(self.url("page", next=here(request)))
            response.headers["Cache-Control"] = "no-store"
            response.vary.update(["Accept", "Cookie"])
            return response
        handlers = self._app.error_handler_spec[None][None]
        for kind in type(error).__mro__:
            handler = handlers.get(cast("type[Exception]", kind))
            if handler is not None:
                return cast("Response", self._app.ensure_sync(handler)(error))
        return error

    @property
    def _nobody(self) -> bool:
        """Tell whether a login would change anything; who is known would be sent in a circle."""
        try:
            return not self._app.auth.principal
        except HTTPException:  # it cannot be found out at the moment
            return False


def login_here() -> Login:
    """Give the login pages of the current service."""
    login: Login = current_app.extensions["buttress"][KEY]
    return login


def mount(state: BlueprintSetupState) -> None:
    """Settle in a service. Raises `ExtensionError` where a login would be of no use in it."""
    app = state.app
    if not isinstance(app, Service) or app.slot("auth") is None:
        raise ExtensionError(
            "auth", f"{app.name} has login pages, and no extension 'auth' by now: add it."
        )
    _check(app)
    login = Login(app, f"{state.name_prefix}.{state.name}".lstrip("."))
    if login.provider:
        _ = login.oidc  # what is missing is told now
    app.extensions["buttress"][KEY] = login
    app.error_handler_spec[None][401].setdefault(Unauthorized, login.answer)


def _check(app: Service) -> None:
    settings = app.settings.auth
    if "session" not in settings.authenticators:
        raise ExtensionError(
            "auth", "The login pages begin sessions: add 'session' to AUTH_AUTHENTICATORS."
        )
    scheme = scheme_of(settings, app.slot("db") is not None)
    if app.settings.auth_oidc.issuer and scheme not in WRITABLE:
        raise ExtensionError(
            "auth",
            f"AUTH_OIDC_ISSUER adds users at their first login, and AUTH_USERS={scheme}: has its "
            "own: use sql: or memory:.",
        )


def _is_navigation() -> bool:
    """Tell whether somebody opens a page, rather than a program asks for one."""
    return (
        request.method == "GET"
        and "Authorization" not in request.headers
        and request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
        and "text/html" in request.headers.get("Accept", "")
    )
