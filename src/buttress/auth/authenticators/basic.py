"""The authenticator of names and passwords: ``Authorization: Basic …`` (RFC 7617)."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from typing import TYPE_CHECKING

from buttress.auth.authenticators import Refused, Trace
from buttress.auth.door import Caller, Door
from buttress.auth.principal import Principal
from buttress.auth.recent import Recent
from buttress.auth.users import User
from buttress.auth.users.directory import Directory

if TYPE_CHECKING:
    from flask import Request

#: Logins that are remembered at a time.
SIZE = 10_000
#: Seconds for which what was right once is no guess.
NO_GUESS = 3600.0


class Basic:
    """Recognise a user by name and password; what was right is remembered for ``remember`` s.

    A changed password is so accepted for that long in other processes. What was right in the last
    hour is looked at without being counted, so that a client's many requests at once do not wait
    for each other, and no attack on the account stops them.
    """

    name = "basic"

    def __init__(self, door: Door, directory: Directory, realm: str, remember: float) -> None:
        self._door = door
        self._directory = directory
        self._realm = realm
        self._recent: Recent[bytes, User] = Recent(SIZE, remember)
        self._was_right: Recent[bytes, bool] = Recent(SIZE, NO_GUESS)
        self._key = os.urandom(32)

    def authenticate(self, request: Request, trace: Trace) -> Principal | None:
        """Give the user."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        name, password = self._read(given.strip())
        trace.note(self.name, "a name and a password")
        mark = hmac.digest(self._key, given.encode(), "sha256")
        user = self._remembered(mark)
        if user is None:
            user = self._recent.of(mark, lambda: self._entered(mark, name, password, request))
        if user is None:
            raise Refused(self.name, "the name or the password is wrong")
        return Principal(
            id=user.name,
            scopes=self._directory.scopes_of(user),
            claims={"user_id": user.id},
            by=self.name,
        )

    def challenge(self, refused: Refused | None) -> str | None:
        """Ask for a name and a password."""
        return f'Basic realm="{self._realm}", charset="UTF-8"'

    def _remembered(self, mark: bytes) -> User | None:
        """Give who was known by these words a moment ago, unless they have changed since."""
        known = self._recent.get(mark)
        if known is None:
            return None
        user = self._directory.get(known.name)
        if user is not None and user.id == known.id and user.revision <= known.revision:
            return user
        self._recent.forget(mark)
        return None

    def _entered(self, mark: bytes, name: str, password: str, request: Request) -> User | None:
        if self._was_right.get(mark):
            user = self._door.look_again(name, password)
        else:
            user = self._door.enter(name, password, Caller(request.remote_addr or ""))
        if user is None:
            self._was_right.forget(mark)
        else:
            self._was_right.put(mark, True)
        return user

    def _read(self, given: str) -> tuple[str, str]:
        try:
            text = base64.b64decode(given, validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise Refused(self.name, "it is no base64 of UTF-8") from error
        name, colon, password = text.partition(":")
        if not colon:
            raise Refused(self.name, "there is no colon in it")
        return name, password
