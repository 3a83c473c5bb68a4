"""An OpenID provider: what it says of itself, its keys, and what it gives for a code."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote_plus

import msgspec
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]  # it has none
from authlib.common.urls import add_params_to_uri  # type: ignore[import-untyped]  # as above
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]  # as above
from requests.auth import HTTPBasicAuth

from buttress.auth.login.refusal import LoginRefused
from buttress.auth.login.settings import OidcSettings, may_be_asked
from buttress.errors import Unavailable
from buttress.oidc import ALGORITHMS, Jwks, Kept, ProviderDown, ProviderKeys, Server

logger = logging.getLogger("buttress.auth")

T = TypeVar("T")

#: What a provider says of a client that it does not serve (RFC 6749, 5.2); no user can mend that.
NOT_SERVED = ("invalid_client", "unauthorized_client")


class Metadata(msgspec.Struct, frozen=True):
    """What a provider says of itself (OpenID Connect Discovery, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    #: OpenID Connect RP-Initiated Logout, 2.1.
    end_session_endpoint: str | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False

    @property
    def urls(self) -> list[str]:
        """Give the addresses that it names."""
        always = (self.authorization_endpoint, self.token_endpoint, self.jwks_uri)
        maybe = (self.userinfo_endpoint, self.end_session_endpoint)
        return [*always, *(url for url in maybe if url is not None)]


class Tokens(msgspec.Struct, frozen=True):
    """What a provider gives for a code (OpenID Connect Core, 3.1.3.3)."""

    id_token: str
    access_token: str


class Provider:
    """Ask a provider. Any thread may; what fails there raises `Unavailable`."""

    def __init__(self, settings: OidcSettings) -> None:
        issuer = settings.issuer
        self._settings = settings
        self._server = Server(issuer, settings.ca_file)
        self._document = Kept(f"the document of {issuer}", self._discover)
        self.jwks = Jwks(f"the keys of {issuer}", self._keys)

    @property
    def metadata(self) -> Metadata:
        """Give what it says of itself."""
        return self._document.get()

    def url(self, **parameters: str) -> str:
        """Give the address to which a browser goes to log in; ``code_verifier`` stays here."""
        with self._session(code_challenge_method="S256") as session:
            made: tuple[str, str] = session.create_authorization_url(
                self.metadata.authorization_endpoint,
                scope=" ".join(self._settings.scopes),
                **parameters,
            )
        return made[0]

    def logout_url(self, **parameters: str) -> str | None:
        """Give the address to which a browser goes to log out; ``None`` where there is none."""
        url = self.metadata.end_session_endpoint
        if url is None:
            return None
        made: str = add_params_to_uri(
            url, [("client_id", self._settings.client_id), *parameters.items()]
        )
        return made

    def tokens(self, code: str, redirect_uri: str, verifier: str) -> Tokens:
        """Trade in a code. Raises `LoginRefused` for one that the provider does not take."""
        return self._asked(lambda: self._trade(code, redirect_uri, verifier))

    def userinfo(self, access_token: str) -> Mapping[str, Any]:
        """Give what it says of a user beside the ID token (OpenID Connect Core, 5.3)."""
        url = self.metadata.userinfo_endpoint
        if url is None:
            return {}
        headers = {"Authorization": f"Bearer {access_token}"}
        return self._asked(lambda: self._server.ask("GET", url, headers=headers))

    def _discover(self) -> Metadata:
        issuer = self._settings.issuer
        document = self._server.ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        found = msgspec.convert(document, Metadata)
        if found.issuer != issuer:
            raise ValueError(f"it calls itself {found.issuer!a}")
        for url in found.urls:
            if not may_be_asked(url.partition("?")[0]):
                raise ValueError(f"its address {url!a} is not encrypted")
        return found

    def _keys(self) -> ProviderKeys:
        its = self.metadata.id_token_signing_alg_values_supported
        document = self._server.ask("GET", self.metadata.jwks_uri)
        return ProviderKeys(document, [it for it in ALGORITHMS if it in its])

    def _trade(self, code: str, redirect_uri: str, verifier: str) -> Tokens:
        url = self.metadata.token_endpoint
        with self._server.asked(url), self._session() as session:
            try:
                answer = session.fetch_token(
                    url,
                    grant_type="authorization_code",
                    code=code,
                    redirect_uri=redirect_uri,
                    code_verifier=verifier,
                    auth=self._basic,
                    allow_redirects=False,
                )
                return msgspec.convert(dict(answer), Tokens)
            except AuthlibBaseError as error:
                said = f"{error.error!a}"[:80]
                if error.error in NOT_SERVED:
                    raise ProviderDown(f"it does not serve this client: {said}") from error
                raise LoginRefused(f"the code was not taken: {said}") from error

    @property
    def _basic(self) -> HTTPBasicAuth | None:
        """Give our login at the provider, where that goes into a header (RFC 6749, 2.3.1)."""
        secret = self._settings.client_secret
        methods = self.metadata.token_endpoint_auth_methods_supported
        if secret is None or "client_secret_basic" not in methods:
            return None
        return HTTPBasicAuth(quote_plus(self._settings.client_id), quote_plus(secret.reveal()))

    def _session(self, **options: Any) -> Any:
        secret = self._settings.client_secret
        session = OAuth2Session(
            self._settings.client_id,
            None if secret is None else secret.reveal(),
            token_endpoint_auth_method="none" if secret is None else "client_secret_post",
            **options,
        )
        return self._server.settled(session)

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except ProviderDown as error:
            issuer = self._settings.issuer
            logger.error("%s does not answer as an OpenID provider: %s", issuer, error)
            raise Unavailable("The login provider does not answer.") from error
