"""The login by OpenID Connect: the authorization code flow with PKCE (RFC 9700, 2.1)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from buttress.auth.login.id_token import verified
from buttress.auth.login.provider import Provider
from buttress.auth.login.refusal import LoginRefused

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from buttress.auth.login.journey import Journey
    from buttress.auth.login.settings import OidcSettings


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

    def claims(
        self, journey: Journey, given: MultiDict[str, str], redirect_uri: str
    ) -> Mapping[str, Any]:
        """Give what the provider says of who comes back with these parameters.

        Raises `LoginRefused`, and `Unavailable` where the provider does not answer.
        """
        code = self._code(journey, given)
        tokens = self.provider.tokens(code, redirect_uri, journey.verifier)
        client_id = self.settings.client_id
        claims = verified(tokens.id_token, self.provider, client_id, journey.nonce)
        if self._wanted <= claims.keys():
            return claims
        more = self.provider.userinfo(tokens.access_token)
        if more and more.get("sub") != claims["sub"]:
            raise LoginRefused("the user info is of somebody else")
        return {**more, **claims}

    @property
    def _wanted(self) -> set[str]:
        """Name the claims that are of use here; a provider may give them by its user info only."""
        email = {"email", "email_verified"} if "email" in self.settings.scopes else set()
        return email | ({self.settings.roles_claim} if self.settings.roles else set())

    def _code(self, journey: Journey, given: MultiDict[str, str]) -> str:
        """Give the code of an answer to this journey, from this provider and no other."""
        if any(len(values) > 1 for values in given.listvalues()):
            raise LoginRefused("a parameter is there twice")
        if not hmac.compare_digest(given.get("state", "").encode(), journey.state.encode()):
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
