"""The extension ``auth``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from flask import Response, jsonify

from buttress.auth.auth import Auth
from buttress.auth.backends import scheme_of
from buttress.auth.ldap.settings import LdapSettings
from buttress.auth.login.settings import LoginSettings, OidcSettings
from buttress.auth.passwords import Passwords
from buttress.auth.routes import demand_of_route, public
from buttress.auth.settings import AuthSettings
from buttress.auth.users.proxy_settings import ProxySettings
from buttress.errors import ConfigError
from buttress.extension import Extension
from buttress.web import offer_to_templates

if TYPE_CHECKING:
    from buttress.lifecycle import Deadline
    from buttress.service import Service


class AuthExtension(Extension[AuthSettings, Auth]):
    """Say who makes a request and what they may, and keep users."""

    name = "auth"
    settings = AuthSettings
    sections: ClassVar = {
        "auth_ldap": LdapSettings,
        "auth_proxy": ProxySettings,
        "auth_login": LoginSettings,
        "auth_oidc": OidcSettings,
    }
    provides = ("generate_password_hash", "check_password_hash", "argon2")

    def requires(self, settings: AuthSettings) -> tuple[str, ...]:
        """Name the database where it has the users."""
        return ("db",) if settings.users and scheme_of(settings, True) == "sql" else ()

    def build(self, app: Service, settings: AuthSettings) -> Auth:
        """Make it; nothing is contacted."""
        scheme = scheme_of(settings, app.slot("db") is not None)
        kept = {"session", "token"}.intersection(settings.authenticators)
        if scheme in ("http", "https") and kept:
            raise ConfigError(
                [
                    f"AUTH_USERS={scheme}: knows nobody without a password, so AUTH_AUTHENTICATORS "
                    f"cannot have {' and '.join(sorted(kept))}: name 'basic', 'bearer' or both."
                ]
            )
        auth = Auth(app, settings, Passwords(settings, app.mode))
        auth.settle()
        if scheme not in ("sql", "memory"):
            _ = auth.users  # a mistake is told now
        if not auth.default.public:
            app.before_request(partial(demand_of_route, auth.default))
        offer_to_templates(app, "csrf_token", auth.csrf_token)
        app.add_url_rule("/__permissions__", "__permissions__", public(_permissions(auth)))
        return auth

    def start(self, it: Auth) -> None:
        """Raise `ExtensionError` for a scope that routes ask for and the settings do not name."""
        it.start()

    def check(self, it: Auth) -> Mapping[str, Any]:
        """Ask the user backend for an answer."""
        it.users.ping()
        return {"users": it.users.name}

    def drain(self, it: Auth, deadline: Deadline) -> None:
        """Let the reset codes go out that were asked for."""
        it.drain(deadline)

    def close(self, it: Auth) -> None:
        """Leave the user backend."""
        it.close()


def _permissions(auth: Auth) -> Callable[[], Response]:
    def permissions() -> Response:
        principal = auth.principal
        answer = jsonify(
            user_id=principal.id or None,
            kind=principal.kind,
            permissions=sorted(principal.scopes),
        )
        answer.headers["Cache-Control"] = "no-store"
        answer.vary.update(["Authorization", "Cookie"])
        return answer

    return permissions
