"""The extension ``auth0``."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from buttress.auth0.login import Login
from buttress.auth0.settings import Auth0Settings
from buttress.auth0.state import States
from buttress.auth0.verifier import AccessTokens
from buttress.errors import ConfigError, ExtensionError, Unavailable, Unhealthy
from buttress.extension import Extension
from buttress.oidc import Jwks, ProviderKeys, Server

if TYPE_CHECKING:
    from buttress.service import Service


#: What a tenant signs by.
ALGORITHMS = ("RS256",)


class _Issued(msgspec.Struct):
    iss: object = None


class Auth0:
    """What ``app.auth0`` is: it verifies the access tokens of a tenant, with keys that it keeps."""

    def __init__(
        self,
        settings: Auth0Settings,
        jwks: Jwks,
        login: Login | None,
        realm: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.jwks = jwks
        self.realm = realm
        self._settings = settings
        self._login = login
        self._clock = clock
        self._verifier: AccessTokens | None = None

    @property
    def login(self) -> Login:
        """Give the login. Raises `ExtensionError` where the settings have none."""
        if self._login is None:
            raise ExtensionError(
                "auth0", "Nobody can log in: set AUTH_CLIENT_ID, AUTH_CLIENT_SECRET and "
                "AUTH_REDIRECT_URI."
            )  # fmt: skip
        return self._login

    def issued(self, token: str) -> bool:
        """Tell whether a token says that it is the tenant's; nothing of it is verified."""
        parts = token.split(".")
        if len(parts) != 3:
            return False
        try:
            payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
            return msgspec.json.decode(payload, type=_Issued).iss == self._settings.issuer
        except (ValueError, msgspec.DecodeError, RecursionError):
            return False

    def verify(self, token: str) -> Mapping[str, Any]:
        """Give the claims of an access token, and in ``scopes`` all that it allows.

        Raises `TokenRefused`, and `Unavailable` where the key that it names is not known and the
        tenant cannot be asked.
        """
        claims = self.jwks.trying(lambda keys: self._of(keys).verify(token)).claims
        claims["scopes"] = sorted(set(self._scopes(claims)))
        return claims

    def check(self) -> Mapping[str, Any]:
        """Tell how old the keys are. Raises `Unhealthy` where there are none."""
        try:
            keys = self.jwks.get()
        except Unavailable as error:
            raise Unhealthy("The keys of the tenant cannot be fetched.") from error
        return {"keys": len(keys), "seconds": round(self.jwks.age)}

    def _of(self, keys: ProviderKeys) -> AccessTokens:
        """Give what verifies by these keys; what was verified by others is forgotten."""
        verifier = self._verifier
        if verifier is None or verifier.keys is not keys:
            it = self._settings
            verifier = AccessTokens(keys, it.issuer, it.audience, it.client_id, self._clock)
            self._verifier = verifier
        return verifier

    def _scopes(self, claims: Mapping[str, Any]) -> Iterator[str]:
        scope, permissions = claims.get("scope"), claims.get("permissions")
        if isinstance(scope, str):
            yield from scope.split()
        if isinstance(permissions, list):
            yield from (it for it in permissions if isinstance(it, str))
        email = claims.get("email")
        for name, people in self._settings.auth_scopes.items():
            if email in people:
                yield name


class Auth0Extension(Extension[Auth0Settings, Auth0]):
    """Take the tokens of a tenant of Auth0, or of another issuer of its kind."""

    name = "auth0"
    settings = Auth0Settings

    def build(self, app: Service, settings: Auth0Settings) -> Auth0:
        """Make it; nothing is contacted."""
        server = Server(settings.domain, settings.ca_file, settings.timeout)
        address = f"{settings.issuer}.well-known/jwks.json"
        jwks = Jwks(
            f"the keys of {settings.domain}",
            lambda: ProviderKeys(server.ask("GET", address), ALGORITHMS),
        )
        login = None
        if settings.client_id is not None:
            cookie = "auth0" if app.mode == "development" else "__Host-auth0"
            login = Login(settings, server, jwks, States(_key(app)), cookie)
        realm = getattr(getattr(app.settings, "auth", None), "realm", "") or app.name
        return Auth0(settings, jwks, login, realm)

    def check(self, it: Auth0) -> Mapping[str, Any]:
        """Tell how old the keys are."""
        return it.check()


def _key(app: Service) -> bytes:
    """Derive a key from the service's secret. Raises `ConfigError` where it has none."""
    secret = app.secret_key
    if not secret:
        raise ConfigError(
            ["SECRET_KEY is missing, by which logins at Auth0 are bound to a browser."]
        )
    known = secret.encode() if isinstance(secret, str) else secret
    return hmac.digest(known, b"buttress.auth0", sha256)
