"""What goes along with a login and comes back: bound to the browser, and of short life."""

from __future__ import annotations

import hmac
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

#: Seconds that a login may take.
LASTS = 600
#: Bytes of the moment at which it ends, and of what makes it unique.
_MOMENT, _NONCE = 8, 16


class State(NamedTuple):
    """A login that is under way, as a browser with this mark began it."""

    #: What the tenant hands back (RFC 6749, 10.12).
    text: str
    #: What must stand in the ID token (OpenID Connect Core, 3.1.2.1).
    nonce: str
    #: What only who began the login can show (RFC 7636).
    verifier: str

    @property
    def challenge(self) -> str:
        """Give what the tenant is told of the verifier, by S256."""
        return _encoded(sha256(self.verifier.encode()).digest())


class States:
    """Make states and recognise them; nothing of them is kept here. ``now`` is in seconds."""

    def __init__(self, key: bytes, now: Callable[[], float] = time.time) -> None:
        self._key = key
        self._now = now

    def build(self, mark: str) -> State:
        """Make a state for the browser with this mark."""
        until = int(self._now()) + LASTS
        return self._state(until.to_bytes(_MOMENT) + secrets.token_bytes(_NONCE), mark)

    def check(self, text: str, mark: str) -> State | None:
        """Give the state that a browser comes back with; ``None`` where it is not its own."""
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except ValueError:
            return None
        seed = raw[: _MOMENT + _NONCE]
        state = self._state(seed, mark)
        if not hmac.compare_digest(state.text, text):
            return None
        return state if self._now() < int.from_bytes(seed[:_MOMENT]) else None

    def _state(self, seed: bytes, mark: str) -> State:
        signed = _encoded(seed + self._derived(b"state", seed, mark))
        nonce, verifier = (self._derived(it, seed, mark) for it in (b"nonce", b"verifier"))
        return State(signed, _encoded(nonce), _encoded(verifier))

    def _derived(self, purpose: bytes, seed: bytes, mark: str) -> bytes:
        return hmac.digest(self._key, b"\0".join((purpose, mark.encode(), seed)), sha256)


def new_mark() -> str:
    """Make the mark of a browser."""
    return secrets.token_urlsafe(24)


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
