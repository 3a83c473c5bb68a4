"""The state of a login."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

import pytest

from buttress.auth0.state import LASTS, States
from tests.jwt.conftest import Clock

KEY = b"k" * 32


def test_a_state_comes_back() -> None:
    """The browser that began a login finishes it."""
    states = States(KEY, Clock(1000.0))
    state = states.build("browser")
    assert states.check(state.text, "browser") == state
    digest = sha256(state.verifier.encode()).digest()
    assert urlsafe_b64decode(state.challenge + "=") == digest


def test_each_is_another() -> None:
    """No two logins share anything, also those of one browser."""
    states = States(KEY, Clock(1000.0))
    made = [part for _ in range(50) for part in states.build("browser")]
    assert len(set(made)) == 150
    assert all(43 <= len(it) <= 128 for it in made)


def test_what_is_refused() -> None:
    """Another browser, another key, another purpose, and any change of it."""
    clock = Clock(1000.0)
    states = States(KEY, clock)
    text = states.build("browser").text
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    changed = [bytes([*raw[:at], raw[at] ^ 1, *raw[at + 1 :]]) for at in range(len(raw))]
    texts = [urlsafe_b64encode(it).decode().rstrip("=") for it in changed]
    odd = ["", "A", "é", "=", text + "=", text + "A", text[:-1], " " + text, text.swapcase()]
    assert [it for it in texts + odd if states.check(it, "browser")] == []
    assert states.check(text, "other") is None
    assert States(b"o" * 32, clock).check(text, "browser") is None


@pytest.mark.parametrize(("seconds", "good"), [(0, True), (LASTS - 1, True), (LASTS, False)])
def test_it_ends(seconds: float, good: bool) -> None:
    """A login may take so long and no longer."""
    clock = Clock(1000.0)
    text = States(KEY, clock).build("browser").text
    clock.now += seconds
    assert bool(States(KEY, clock).check(text, "browser")) is good
