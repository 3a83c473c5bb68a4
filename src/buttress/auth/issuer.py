"""Secrets for users: issued, recognised, and revoked."""

from __future__ import annotations

import hmac
import logging
import math
import time
from collections.abc import Callable, Iterable

from buttress.auth.authenticators import Refused
from buttress.auth.policy import SCOPE
from buttress.auth.principal import covers
from buttress.auth.recent import Recent
from buttress.auth.tokens import Token, Tokens, digest_of, id_of, new_secret
from buttress.auth.users import User
from buttress.auth.users.directory import Directory

logger = logging.getLogger("buttress.auth")

#: Tokens that are remembered at a time.
SIZE = 10_000
#: Seconds between two notes that a token is in use.
TOUCH_EVERY = 60.0
#: Tokens that are issued between two looks for those that have expired.
FORGET_AFTER = 100


class Issuer:
    """Issue secrets and recognise who has one; times are seconds, ``now`` since 1970.

    What another process revoked is refused after ``remember`` seconds.
    """

    def __init__(
        self,
        tokens: Tokens,
        directory: Directory,
        remember: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.tokens = tokens
        self._directory = directory
        self._now = now
        self._recent: Recent[str, Token] = Recent(SIZE, remember, now)
        self._touched: Recent[str, bool] = Recent(SIZE, TOUCH_EVERY, now)
        self._issued = 0

    def issue(
        self,
        user: User,
        *,
        kind: str = "api",
        label: str = "",
        scopes: Iterable[str] | None = None,
        seconds: float,
    ) -> tuple[str, Token]:
        """Issue a secret, which nobody can read again, with what is kept of it.

        ``scopes`` narrows what it may, and never widens it. Raises `ValueError` for scopes that
        the user has not, for no time or time without end, and for a label of several lines.
        """
        if not 0 < seconds < math.inf:
            raise ValueError(f"A token for {seconds} seconds is of no use: give more than 0.")
        if not label.isprintable():
            raise ValueError("A label is one line of text.")
        kept = None if scopes is None else _words(scopes)
        own = self._directory.scopes_of(user)
        lacking = sorted(scope for scope in kept or () if not covers(own, scope))
        if lacking:
            raise ValueError(f"{user.name} cannot give what they have not: {', '.join(lacking)}.")
        secret, token_id = new_secret()
        now = self._now()
        token = Token(
            id=token_id,
            kind=kind,
            owner=user.name,
            owner_id=user.id,
            revision=user.revision,
            label=label[:200],
            scopes=kept,
            digest=digest_of(secret),
            created=now,
            expires=now + seconds,
        )
        self.tokens.add(token)
        self._directory.forget(user.name)  # what was known of the owner may be older than this
        self._issued += 1
        if self._issued % FORGET_AFTER == 1:
            self._forget(now)
        return secret, token

    def resolve(self, by: str, kind: str, secret: str) -> tuple[Token, User]:
        """Give the token and its owner. Raises `Refused`, in the name of an authenticator."""
        token = self._token(by, secret)
        if token.kind != kind:
            raise Refused(by, f"it is a secret of kind '{token.kind}'", "invalid_token")
        now = self._now()
        if token.expires <= now:
            raise Refused(
                by, f"{token.id} expired {now - token.expires:.0f} s ago", "invalid_token"
            )
        user = self._directory.get(token.owner)
        if user is None or user.id != token.owner_id:
            raise Refused(by, f"the owner of {token.id} is gone or disabled", "invalid_token")
        # A user who is remembered may be older than the token, which then has the higher one.
        if kind == "session" and token.revision < user.revision:
            raise Refused(by, f"the password was changed after {token.id} was issued")
        if (token.used is None or now - token.used >= TOUCH_EVERY) and not self._touched.get(
            token.id
        ):
            self._touch(token, now)
        return token, user

    def scopes_of(self, token: Token, user: User) -> frozenset[str]:
        """Give what somebody with this token may: what it names, as far as the owner may it."""
        own = self._directory.scopes_of(user)
        if token.scopes is None:
            return own
        return frozenset(scope for scope in token.scopes if covers(own, scope))

    def revoke(self, token_id: str, owner: User | None = None) -> bool:
        """Revoke a token, where an owner is given only theirs; tell whether there was one."""
        try:
            return self.tokens.remove(token_id, None if owner is None else owner.id)
        finally:
            self._recent.forget(token_id)

    def revoke_secret(self, secret: str) -> bool:
        """Revoke a token by its secret; tell whether there was one."""
        try:
            return self.revoke(self._token("", secret).id)
        except Refused:
            return False

    def revoke_all(self, user: User, kind: str | None = None) -> int:
        """Revoke what was issued to a user, of one kind or all; give the number."""
        try:
            return self.tokens.remove_all(user.id, kind)
        finally:
            self._recent.forget()

    def _token(self, by: str, secret: str) -> Token:
        token_id = id_of(secret)
        if token_id is None:
            raise Refused(by, "it has not the form of a secret of ours", "invalid_token")
        token = self._recent.of(token_id, lambda: self.tokens.get(token_id))
        if token is None:
            raise Refused(by, f"{token_id} is unknown or revoked", "invalid_token")
        if not hmac.compare_digest(token.digest, digest_of(secret)):
            raise Refused(by, f"the secret of {token_id} is wrong", "invalid_token")
        return token

    def _touch(self, token: Token, now: float) -> None:
        """Note the use; a request does not fail for want of that."""
        self._touched.put(token.id, True)
        try:
            self.tokens.touch(token.id, now)
        except Exception:
            logger.warning("The use of %s could not be noted", token.id, exc_info=True)

    def _forget(self, now: float) -> None:
        try:
            self.tokens.forget(now)
        except Exception:
            logger.warning("Expired tokens could not be removed", exc_info=True)


def _words(scopes: Iterable[str]) -> frozenset[str]:
    """Give scopes as a token keeps them. Raises `ValueError` for what is none."""
    if isinstance(scopes, str):
        raise ValueError(f"scopes={scopes!r} would be its letters: write scopes=[{scopes!r}].")
    kept = frozenset(scopes)
    for scope in kept:
        if not SCOPE.fullmatch(scope):
            raise ValueError(f"{scope!r} is no scope: write one word, such as 'read:pistes'.")
    return kept
