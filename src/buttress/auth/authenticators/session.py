"""The authenticator of browsers: a cookie, and proof that a page of ours made the request."""

from __future__ import annotations

import hmac
import logging
from hashlib import sha256
from typing import TYPE_CHECKING

from buttress.auth.authenticators import Refused, Trace
from buttress.auth.issuer import Issuer
from buttress.auth.principal import Principal
from buttress.errors import Code, Problem

if TYPE_CHECKING:
    from flask import Request

logger = logging.getLogger("buttress.auth")

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
#: Where a page puts its token.
CSRF_HEADER, CSRF_FIELD = "X-CSRF-Token", "csrf_token"


class Session:
    """Recognise who has logged in with this browser.

    A request that may change something must come from a page of this site: its metadata says so
    (Fetch Metadata, ``Origin``), or it has the token of the session.
    """

    name = "session"

    def __init__(self, issuer: Issuer, cookie: str) -> None:
        self._issuer = issuer
        #: The name of the cookie.
        self.cookie = cookie

    def authenticate(self, request: Request, trace: Trace) -> Principal | None:
        """Give the user of the session. Raises `Problem` 403 for a forged request."""
        secret = request.cookies.get(self.cookie)
        if not secret:
            return None
        trace.note(self.name, "the cookie of a session")
        try:
            token, user = self._issuer.resolve(self.name, "session", secret)
        except Refused as refused:  # browsers send old cookies by themselves
            trace.note(self.name, str(refused))
            return None
        if request.method not in SAFE:
            forged = forgery(request, secret)
            if forged is not None:
                trace.note(self.name, forged)
                raise refusal(forged)
        return Principal(
            id=user.name,
            scopes=self._issuer.scopes_of(token, user),
            claims={"session": token.id, "user_id": user.id},
            by=self.name,
        )

    def challenge(self, refused: Refused | None) -> str | None:
        """Ask for nothing: a browser is sent to a login page instead."""
        return None


def refusal(forged: str) -> Problem:
    """Give the answer to a forged request; the reason is for the log alone."""
    logger.info("403: forged: %s", forged)
    return Problem(Code.FORBIDDEN, "This request does not come from a page of ours.")


def forgery(request: Request, secret: str) -> str | None:
    """Say why a request was not made by a page of this site; ``None`` where it was."""
    reason = foreign(request)
    if reason is not None or _says_where(request):
        return reason
    given = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD) or ""
    if not hmac.compare_digest(given.encode(), csrf_token(secret).encode()):
        return f"neither Sec-Fetch-Site, Origin nor {CSRF_HEADER} says where it comes from"
    return None


def foreign(request: Request) -> str | None:
    """Say of what other site a page made a request; ``None`` where nothing says so.

    Where browsers say that it was this origin no page can make them lie, and a proxy that ends TLS
    may have changed what the origin is compared with.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site == "same-origin":
        return None
    if site is not None and site != "none":
        return f"Sec-Fetch-Site is {site[:40]!r}"
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.host}":
        return f"Origin is {origin[:200]!r}"
    return None


def _says_where(request: Request) -> bool:
    return request.headers.get("Sec-Fetch-Site") == "same-origin" or "Origin" in request.headers


def csrf_token(secret: str) -> str:
    """Give the token that pages of a session put into their forms."""
    return hmac.new(secret.encode(), b"csrf", sha256).hexdigest()
