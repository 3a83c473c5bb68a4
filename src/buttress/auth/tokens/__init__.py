"""Secrets that were issued to users and are kept as digests: API tokens and sessions.

A secret is shown once, when it is issued. Whoever has it is the owner, within its scopes.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Protocol

import msgspec

#: What every secret begins with, so that scanners of source code can know it.
MARK = "bt_"
_SECRET = re.compile(r"bt_([a-z2-7]{16})_([A-Za-z0-9_-]{43})")


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a secret that was issued; times are seconds since 1970."""

    #: Its public part, by which it is listed and revoked.
    id: str
    #: ``api`` or ``session``.
    kind: str
    #: The name and the id of the user; a new user of an old name does not inherit it.
    owner: str
    owner_id: str
    #: That of the owner when it was issued; a session under another one holds no longer.
    revision: int
    label: str
    #: ``None`` is all that the owner may.
    scopes: frozenset[str] | None
    digest: str
    created: float
    expires: float
    used: float | None = None


class Tokens(Protocol):
    """Keep tokens. Any thread may call it."""

    def add(self, token: Token) -> None:
        """Keep a new token."""

    def get(self, token_id: str) -> Token | None:
        """Find a token by its id."""

    def of(self, owner_id: str, kind: str) -> list[Token]:
        """List the tokens of a user, the newest first."""

    def remove(self, token_id: str, owner_id: str | None = None) -> bool:
        """Remove a token, where an owner is given only theirs; tell whether there was one."""

    def remove_all(self, owner_id: str, kind: str | None = None) -> int:
        """Remove the tokens of a user, of one kind or all; give their number."""

    def touch(self, token_id: str, now: float) -> None:
        """Note that it was used."""

    def forget(self, now: float) -> int:
        """Remove those that have expired; give their number."""


def new_secret() -> tuple[str, str]:
    """Make a secret of 256 bits; gives it with the id that it contains."""
    token_id = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(16))
    return f"{MARK}{token_id}_{secrets.token_urlsafe(32)}", token_id


def id_of(secret: str) -> str | None:
    """Give the id that a secret contains; ``None`` for what is no secret of ours."""
    found = _SECRET.fullmatch(secret)
    return None if found is None else found[1]


def digest_of(secret: str) -> str:
    """Give what is kept of a secret; one of 256 bits needs no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()
