"""The form of the login: sent by the page that this browser was given, and by no other.

There is no session yet to bind it to, so a cookie of its own stands for the browser. Without it
another site could log somebody in under a name of its choice.
"""

from __future__ import annotations

import hmac
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from flask import request

from buttress.auth.authenticators.session import CSRF_FIELD, csrf_token, foreign

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

#: Seconds for which a page that lies open is good.
LASTS = 86_400


class Browser:
    """The browser that makes a request, known by a cookie of this name."""

    def __init__(self, cookie: str) -> None:
        self._cookie = cookie
        self._secret = request.cookies.get(cookie) or token_urlsafe(32)

    @property
    def token(self) -> str:
        """Give what the form of this browser carries."""
        return csrf_token(self._secret)

    @property
    def sent(self) -> bool:
        """Tell whether this browser was given the form that it sends."""
        given = request.form.get(CSRF_FIELD, "")
        right = hmac.compare_digest(given.encode(), self.token.encode())
        return right and foreign(request) is None

    def keep(self, response: Response) -> None:
        """Let the browser know itself again."""
        set_cookie(response, self._cookie, self._secret, LASTS)

    def drop(self, response: Response) -> None:
        """Let the forms that are open be of no use any longer."""
        drop_cookie(response, self._cookie)


def set_cookie(response: Response, name: str, value: str, seconds: int) -> None:
    """Give a browser a cookie that goes to this host alone, and that no script reads."""
    # In development pages may come by plain HTTP, with which not all browsers keep others.
    secure = name.startswith("__Host-") or request.is_secure
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="Lax"
    )


def drop_cookie(response: Response, name: str) -> None:
    """Take such a cookie back."""
    set_cookie(response, name, "", 0)
