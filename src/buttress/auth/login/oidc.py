"""The login by OpenID Connect: the authorization code flow with PKCE (RFC 9700, 2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from buttress.auth.login.provider import Provider
from buttress.auth.login.refusal import LoginRefused
from buttress.errors import Unavailable
from buttress.jwt import TokenRefused
from buttress.oidc import IdTokens, ProviderKeys

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from buttress.auth.login.journey import Journey
    from buttress.auth.login.settings import OidcSettings

#: An address, and whether the provider has verified it.
EMAIL = frozenset({"email", "email_verified"})


class Oidc:
    """The client of one OpenID provider."""

    def __init__(self, settings: OidcSettings) -> None:
        self.settings = settings
        self.provider = Provider(settings)

    def url(self, journey: Journey, redirect_uri: str) -> str:
        """Give where the browser goes. Raises `Unavailable` where the provider does not answer."""
        return self.provider.url(
            state=journey.state,
            nonce=journey.nonce,
            code_verifier=journey.verifier,
            redirect_uri=redirect_uri,
        )

    def logout_url(self, journey: Journey, redirect_uri: str) -> str | None:
        """Give where the browser goes to log out there too; ``None`` where it need not or cannot.

        The provider knows by its own cookie whom it has logged in: the ID token is not kept, and
        shown in no address.
        """
        if not self.settings.logout:
            return None
        try:
            return self.provider.logout_url(
                post_logout_redirect_uri=redirect_uri, state=journey.state
            )
        except Unavailable:  # a logout here does not wait for one there
            return None

    def claims(
        self, journey: Journey, given: MultiDict[str, str], redirect_uri: str
    ) -> Mapping[str, Any]:
        """Give what the provider says of who comes back with these parameters.

        Raises `LoginRefused`, and `Unavailable` where the provider does not answer.
        """
        code = self._code(journey, given)
        tokens = self.provider.tokens(code, redirect_uri, journey.verifier)
        claims = self._verified(tokens.id_token, journey.nonce)
        if self._wanted <= claims.keys():
            return claims
        more = self.provider.userinfo(tokens.access_token)
        if more and more.get("sub") != claims["sub"]:
            raise LoginRefused("the user info is of somebody else")
        if not claims.keys() >= EMAIL:  # an address, and whether it is verified, are of one place
            claims = {name: value for name, value in claims.items() if name not in EMAIL}
        return {**more, **claims}

    def _verified(self, token: str, nonce: str) -> Mapping[str, Any]:
        issuer, client_id = self.settings.issuer, self.settings.client_id

        def claims(keys: ProviderKeys) -> dict[str, Any]:
            return IdTokens(keys, issuer, client_id, nonce).claims(token)

        try:
            return self.provider.jwks.trying(claims)
        except TokenRefused as refused:
            raise LoginRefused(f"of the ID token: {refused.reason}") from refused

    @property
    def _wanted(self) -> frozenset[str]:
        """Name the claims that are of use here; a provider may give them by its user info only."""
        email = EMAIL if "email" in self.settings.scopes else frozenset()
        return email | ({self.settings.roles_claim} if self.settings.roles else set())

    def _code(self, journey: Journey, given: MultiDict[str, str]) -> str:
        """Give the code of an answer to this journey, from this provider and no other."""
        if any(len(values) > 1 for values in given.listvalues()):
            raise LoginRefused("a parameter is there twice")
        if not journey.is_state(given.get("state", "")):
            raise LoginRefused("the state is not that of this browser")
        self._check_issuer(given.get("iss"))
        error = given.get("error")
        if error is not None:
            problem = "cancelled" if error == "access_denied" else "failed"
            raise LoginRefused(f"the provider says {ascii(error)[:80]}", problem)
        code = given.get("code")
        if not code:
            raise LoginRefused("there is no code")
        return code

    def _check_issuer(self, given: str | None) -> None:
        """Refuse what another provider sends (RFC 9207, 2.4)."""
        told = self.provider.metadata.authorization_response_iss_parameter_supported
        if given != self.settings.issuer and (told or given is not None):
            raise LoginRefused("the answer is not from our provider")
