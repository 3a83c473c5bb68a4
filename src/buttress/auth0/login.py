"""The login at a tenant: by a code, with PKCE (RFC 9700, 2.1.1)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Response, after_this_request, g, request

from buttress.auth0.settings import Auth0Settings
from buttress.auth0.state import LASTS, State, States, new_mark
from buttress.auth0.verifier import check_email
from buttress.errors import Code, Problem, Unavailable
from buttress.jwt import TokenRefused
from buttress.oidc import IdTokens, Jwks, ProviderDown, ProviderKeys, ProviderRefuses, Server

logger = logging.getLogger("buttress.auth0")

DOWN = "The login cannot be finished at the moment."
#: The most characters of a state or a code.
LONGEST = 4096
#: Where a request keeps the mark that its answer gives the browser.
_MARK = "_buttress_auth0_mark"


class Login:
    """Send people to the tenant, and take what they come back with."""

    def __init__(
        self,
        settings: Auth0Settings,
        server: Server,
        jwks: Jwks,
        states: States,
        cookie: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._server = server
        self._jwks = jwks
        self._states = states
        self._cookie = cookie
        self._clock = clock

    def url(self, scope: str) -> str:
        """Give the address at which this browser logs in; the answer gives it a cookie."""
        state = self.state()
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._settings.redirect_uri,
            "audience": self._settings.audience,
            "scope": scope,
            "state": state.text,
            "nonce": state.nonce,
            "code_challenge": state.challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._settings.issuer}authorize?{urlencode(query)}"

    def state(self) -> State:
        """Begin a login in this browser."""
        mark = g.get(_MARK) or request.cookies.get(self._cookie)
        if not mark:
            mark = new_mark()
            setattr(g, _MARK, mark)
        after_this_request(lambda response: self._keep(response, mark))
        return self._states.build(mark)

    def check(self, text: str) -> State | None:
        """Give the login that this browser began; ``None`` where it began no such."""
        mark = request.cookies.get(self._cookie)
        return self._states.check(text, mark) if mark else None

    def finish(self) -> dict[str, Any]:
        """Exchange the ``{"state", "code"}`` in the body for tokens. Raises `Problem`.

        The state is of no use after that.
        """
        text, code = _given("state"), _given("code")
        state = self.check(text)
        if state is None:
            raise Problem("invalid_state", "Log in again: this login is over.", status=400)
        after_this_request(lambda response: self._keep(response, "", 0))
        answer = self._exchange(code, state)
        self._verify(answer["id_token"], state)
        return answer

    def _exchange(self, code: str, state: State) -> dict[str, Any]:
        secret = self._settings.client_secret
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self._settings.client_id or "",
            "client_secret": "" if secret is None else secret.reveal(),
            "redirect_uri": self._settings.redirect_uri or "",
            "code_verifier": state.verifier,
        }
        try:
            given = self._server.ask("POST", f"{self._settings.issuer}oauth/token", data=form)
            return {
                "expires": int(self._clock()) + int(given["expires_in"]),
                "access_token": str(given["access_token"]),
                "id_token": str(given["id_token"]),
            }
        except ProviderRefuses as refuses:
            if refuses.error == "invalid_grant":
                raise Problem("invalid_code", "Log in again.", status=400) from refuses
            logger.error("the tenant refuses a login: %s", refuses.error)
            raise Unavailable(DOWN) from refuses
        except (ProviderDown, LookupError, TypeError, ValueError) as error:
            logger.error("a login cannot be finished: %r", error)
            raise Unavailable(DOWN) from error

    def _verify(self, token: str, state: State) -> None:
        issuer, client = self._settings.issuer, self._settings.client_id or ""

        def claims(keys: ProviderKeys) -> dict[str, Any]:
            return IdTokens(keys, issuer, client, state.nonce, self._clock).claims(token)

        try:
            check_email(self._jwks.trying(claims))
        except TokenRefused as refused:
            logger.warning("a login is refused: %s", refused.reason)
            raise Problem(Code.FORBIDDEN, "This login is not accepted.") from refused

    def _keep(self, response: Response, mark: str, seconds: int = LASTS) -> Response:
        # In development pages may come by plain HTTP, with which not all browsers keep others.
        secure = self._cookie.startswith("__Host-") or request.is_secure
        response.set_cookie(
            self._cookie, mark, seconds, path="/", secure=secure, httponly=True, samesite="Lax"
        )
        response.headers["Cache-Control"] = "no-store"
        return response


def _given(name: str) -> str:
    body = request.get_json(silent=True)
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST:
        raise Problem(Code.BAD_REQUEST, f"Send JSON with '{name}'.")
    return value
