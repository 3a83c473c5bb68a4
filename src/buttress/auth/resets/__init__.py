"""Reset codes: one is sent to a user who has forgotten the password, and works once."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Protocol

import msgspec

from buttress.auth.users import UserError

#: Seconds that a code holds, and over which those of a user are counted.
LIFETIME = 3600
#: Codes that a user gets in that time.
MOST = 3
#: 32 letters and digits that nobody takes for each other: 16 of them are 80 bits, which nobody
#: guesses; to count guesses at one code would let anybody end it who knows the user's name.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
LENGTH, GROUP = 16, 4


class Reset(msgspec.Struct, frozen=True, kw_only=True):
    """A code as it is kept; the digest ``''`` is of one that was used."""

    owner: str
    slot: int
    salt: str
    digest: str
    issued: int


class Resets(Protocol):
    """Keep reset codes. Any thread may call it; each method is one step that others see whole."""

    def forget(self, before: int) -> None:
        """Forget those that were issued then or earlier."""

    def add(self, reset: Reset) -> bool:
        """Keep a code; ``False`` where its owner has one in that slot."""

    def remove(self, reset: Reset) -> None:
        """Let there never have been a code; one that was used stays."""

    def held(self, owner: str, after: float) -> list[Reset]:
        """Give the codes of an owner that were issued later."""

    def use(self, reset: Reset) -> bool:
        """Let a code of an owner be used; ``False`` where another was faster."""

    def restore(self, reset: Reset) -> None:
        """Let a code that was used hold again."""

    def void(self, owner: str) -> None:
        """Let the other codes of an owner be used up."""

    def oldest(self, owner: str) -> int | None:
        """Tell when the oldest code of an owner was issued."""


class TooManyCodes(UserError):
    """Raised when a user has asked for too many codes; ``retry_after`` is in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"{MOST} codes were issued lately: the next is in {retry_after} s.")
        self.retry_after = retry_after


class ResetCodes:
    """Issue codes, and tell whether one is right. ``now`` is seconds since 1970."""

    def __init__(self, resets: Resets, now: Callable[[], float] = time.time) -> None:
        self._resets = resets
        self._now = now

    def issue(self, user_id: str) -> str:
        """Make a code, such as ``7KQM-2XWD-H9RB-VT4C``; earlier ones hold on.

        Raises `TooManyCodes`. It is kept as a digest: what is given here cannot be given again.
        """
        owner, now = _owner(user_id), int(self._now())
        self._resets.forget(now - LIFETIME)
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        salt = secrets.token_hex(16)
        digest = _digest(owner, salt, code)
        for slot in range(MOST):  # the store has each slot once, however many ask at once
            if self._resets.add(
                Reset(owner=owner, slot=slot, salt=salt, digest=digest, issued=now)
            ):
                return "-".join(code[at : at + GROUP] for at in range(0, LENGTH, GROUP))
        oldest = self._resets.oldest(owner) or 0  # none: they have been forgotten meanwhile
        raise TooManyCodes(max(1, oldest + LIFETIME - now))

    def withdraw(self, user_id: str, code: str) -> None:
        """Take back a code that did not reach the user: it is not counted as one that was had."""
        for reset in self._right(_owner(user_id), code):
            self._resets.remove(reset)

    def redeem(self, user_id: str, code: str, then: Callable[[], object] = lambda: None) -> bool:
        """Tell whether a code is right; then this one and every other of the user is used up.

        Case, spaces and dashes do not matter. Of two at once one is told so. ``then`` is what the
        code is good for: where that raises, this code holds on.
        """
        owner = _owner(user_id)
        used = next((it for it in self._right(owner, code) if self._resets.use(it)), None)
        if used is None:
            return False
        try:
            self._resets.void(owner)
            then()
        except BaseException:
            self._resets.restore(used)
            raise
        return True

    def _right(self, owner: str, code: str) -> list[Reset]:
        """Give the codes of an owner that are this one."""
        typed = str(code).upper().replace("-", "").replace(" ", "")
        held = self._resets.held(owner, self._now() - LIFETIME)
        return [it for it in held if hmac.compare_digest(it.digest, _digest(owner, it.salt, typed))]


def _owner(user_id: str) -> str:
    """Give what an id is kept as: of one length, whatever the backend's ids look like."""
    return sha256(user_id.encode("utf-8", "surrogatepass")).hexdigest()


def _digest(owner: str, salt: str, typed: str) -> str:
    text = f"{owner}{salt}{typed}".encode("utf-8", "surrogatepass")
    return sha256(text).hexdigest()
