"""An OpenID provider: what it says of itself, its keys, and what it gives for a code."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import quote_plus

import msgspec
import requests
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]  # it has none
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]  # as above
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet
from requests.auth import HTTPBasicAuth

from buttress.auth.login.refusal import LoginRefused
from buttress.auth.login.settings import OidcSettings, may_be_asked
from buttress.errors import Unavailable
from buttress.web import current_deadline

logger = logging.getLogger("buttress.auth")

T = TypeVar("T")

#: Seconds that the provider may be silent, and for which what it says of itself is believed.
TIMEOUT, REMEMBER = 5.0, 3600.0
#: Seconds between two looks for a key that is unknown, so that nobody makes us ask for long.
LOOK_AGAIN = 10.0
#: Bytes that an answer may have.
LONGEST_ANSWER = 256 * 1024
#: What is raised by a provider that does not answer, or whose answer is none.
FAILURES = (requests.RequestException, ValueError, TypeError, AttributeError, KeyError, JoseError)


class Metadata(msgspec.Struct, frozen=True):
    """What a provider says of itself (OpenID Connect Discovery, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False

    @property
    def urls(self) -> tuple[str, ...]:
        """Give the addresses that it names."""
        first = (self.authorization_endpoint, self.token_endpoint, self.jwks_uri)
        return first if self.userinfo_endpoint is None else (*first, self.userinfo_endpoint)


class Tokens(msgspec.Struct, frozen=True):
    """What a provider gives for a code (OpenID Connect Core, 3.1.3.3)."""

    id_token: str
    access_token: str


class Provider:
    """Ask a provider. Any thread may; what fails there raises `Unavailable`.

    ``now`` is a clock in seconds.
    """

    def __init__(self, settings: OidcSettings, now: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._now = now
        self._ca_file = None if settings.ca_file is None else str(settings.ca_file)
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None

    @property
    def metadata(self) -> Metadata:
        """Give what it says of itself."""
        known = self._metadata
        if known is None or self._now() - known[0] >= REMEMBER:
            known = self._metadata = (self._now(), self._asked(self._discover))
        return known[1]

    def keys(self, *, anew: bool = False) -> KeySet:
        """Give its keys; ``anew`` asks again where that was not done just now."""
        url, known = self.metadata.jwks_uri, self._keys
        if known is None or self._now() - known[0] >= (LOOK_AGAIN if anew else REMEMBER):
            known = self._keys = (self._now(), self._asked(lambda: _key_set(self._get(url))))
        return known[1]

    def url(self, **parameters: str) -> str:
        """Give the address to which a browser goes to log in; ``code_verifier`` stays here."""
        with self._session(code_challenge_method="S256") as session:
            made: tuple[str, str] = session.create_authorization_url(
                self.metadata.authorization_endpoint,
                scope=" ".join(self._settings.scopes),
                **parameters,
            )
        return made[0]

    def tokens(self, code: str, redirect_uri: str, verifier: str) -> Tokens:
        """Trade in a code. Raises `LoginRefused` for one that the provider does not take."""
        return self._asked(lambda: self._trade(code, redirect_uri, verifier))

    def userinfo(self, access_token: str) -> Mapping[str, Any]:
        """Give what it says of a user beside the ID token (OpenID Connect Core, 5.3)."""
        url = self.metadata.userinfo_endpoint
        if url is None:
            return {}
        header = f"Bearer {access_token}"
        return self._asked(lambda: msgspec.json.decode(self._get(url, header), type=dict[str, Any]))

    def _discover(self) -> Metadata:
        issuer = self._settings.issuer
        document = self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        found = msgspec.json.decode(document, type=Metadata)
        if found.issuer != issuer:
            raise ValueError(f"it calls itself {found.issuer!a}")
        for url in found.urls:
            if not may_be_asked(url.partition("?")[0]):
                raise ValueError(f"its address {url!a} is not encrypted")
        return found

    def _trade(self, code: str, redirect_uri: str, verifier: str) -> Tokens:
        with self._session() as session:
            try:
                answer = session.fetch_token(
                    self.metadata.token_endpoint,
                    grant_type="authorization_code",
                    code=code,
                    redirect_uri=redirect_uri,
                    code_verifier=verifier,
                    auth=self._basic,
                    timeout=_seconds(),
                    allow_redirects=False,
                )
            except AuthlibBaseError as error:
                raise LoginRefused(f"the code was not taken: {error.error!a}") from error
        return msgspec.convert(dict(answer), Tokens)

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
        # Neither .netrc, a proxy of the environment nor a cookie has a say in who somebody is.
        session.trust_env = False
        session.verify = True if self._ca_file is None else self._ca_file
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        return session

    def _get(self, url: str, authorization: str | None = None) -> bytes:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if authorization is not None:
            headers["Authorization"] = authorization
        options = {"timeout": _seconds(), "allow_redirects": False, "stream": True}
        with (
            self._session() as session,
            session.get(url, headers=headers, withhold_token=True, **options) as answer,
        ):
            if answer.status_code != 200:
                raise ValueError(f"{url} answers {answer.status_code}")
            content = b""
            for part in answer.iter_content(8192):
                content += part
                if len(content) > LONGEST_ANSWER:
                    raise ValueError(f"{url} answers more than {LONGEST_ANSWER} bytes")
        return content

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except FAILURES as error:
            issuer = self._settings.issuer
            logger.error("%s does not answer as an OpenID provider: %s", issuer, error)
            raise Unavailable("The login provider does not answer.") from error


def _seconds() -> float:
    """Give the time for a question: less where somebody waits no longer."""
    deadline = current_deadline()
    # 0 would be no time at all to requests, which refuses it.
    return TIMEOUT if deadline is None else max(min(TIMEOUT, deadline.left()), 0.001)


def _key_set(document: bytes) -> KeySet:
    """Read the keys that sign; others, and those that are not understood, are left out."""
    keys: list[Key] = []
    for key in msgspec.json.decode(document, type=dict[str, list[dict[str, Any]]])["keys"]:
        if key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig":
            with suppress(JoseError, ValueError, KeyError, TypeError):
                keys.append(JWKRegistry.import_key(key))
    return KeySet(keys)
