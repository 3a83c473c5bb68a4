"""Verification, and the memory of what was verified."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from buttress.jwt import Keys, TokenExpired, TokenRefused, Verifier, secret, verifier
from tests.jwt.conftest import SECRET, Clock, as_json, signed

NOW = 1_800_000_000.0
HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS: dict[str, Any] = {"sub": "ann", "jti": "j", "type": "access", "exp": int(NOW) + 60}


def token(header: dict[str, Any] | None = None, key: str = SECRET, **claims: Any) -> str:
    """Make a token."""
    parts = ({**HEADER, **(header or {})}, {**CLAIMS, **claims})
    return signed("HS256", key.encode(), *map(as_json, parts))


@pytest.fixture
def clock() -> Clock:
    """Give a clock."""
    return Clock(NOW)


@pytest.fixture
def it(clock: Clock) -> Verifier:
    """Give a verifier of one secret."""
    return Verifier(Keys([secret(SECRET)]), clock=clock)


def test_a_good_token(it: Verifier) -> None:
    """Header and claims are given, and what says nothing of freshness is not fresh."""
    assert it.verify(token()) == (HEADER, {**CLAIMS, "fresh": False})


def test_a_token_ends_to_the_second(it: Verifier, clock: Clock) -> None:
    """It is good until its end, also where it was verified before."""
    made = token()
    clock.now = NOW + 59.9
    it.verify(made)
    clock.now = NOW + 60
    with pytest.raises(TokenExpired) as caught:
        it.verify(made)
    assert (caught.value.jwt_header, caught.value.jwt_data["sub"]) == (HEADER, "ann")
    assert it.verify(made, expired=True).claims["sub"] == "ann"


@pytest.mark.parametrize("claim", ["nbf", "iat", "auth_time"])
def test_another_clock_may_be_fast(it: Verifier, claim: str) -> None:
    """What was issued a few seconds ahead is taken, and not what comes later."""
    assert it.verify(token(**{claim: NOW + 10}))
    with pytest.raises(TokenRefused, match="not valid yet"):
        it.verify(token(**{claim: NOW + 10.5}))


def test_an_end_is_looked_at_last(it: Verifier) -> None:
    """Who is told that a token has expired may trust everything else in it."""
    with pytest.raises(TokenRefused, match="another kind"):
        it.verify(token(type="id", exp=1))
    with pytest.raises(TokenRefused, match="Signature"):
        it.verify(token(key=f"other{SECRET}", exp=1))


def test_a_token_for_somebody_else(it: Verifier) -> None:
    """A service that has no audience takes no token that has one (RFC 7519, 4.1.3)."""
    with pytest.raises(TokenRefused, match="another audience"):
        it.verify(token(aud="shop"))


def test_a_token_is_verified_once(it: Verifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was verified is remembered, and what was refused is not."""
    made, forged = token(), token(key=f"other{SECRET}")
    with pytest.raises(TokenRefused):
        it.verify(forged)
    it.verify(made)
    monkeypatch.setattr(Keys, "verify", lambda *_: pytest.fail("the signature is looked at again"))
    assert it.verify(made).claims["sub"] == "ann"
    with pytest.raises(pytest.fail.Exception):
        it.verify(forged)


def test_the_memory_holds_no_tokens(it: Verifier) -> None:
    """Who sees the memory of the process finds no token to use."""
    made = token()
    it.verify(made)
    assert made not in repr(vars(it))
    assert made.rpartition(".")[2] not in repr(vars(it))


@pytest.mark.parametrize("extra", [{}, {"roles": ["reader"]}, {"deep": {"a": [1]}}])
def test_what_is_given_is_its_readers_own(it: Verifier, extra: dict[str, Any]) -> None:
    """A view that changes the claims changes them for nobody else."""
    made = token(**extra)
    for _ in range(2):
        header, claims = it.verify(made)
        assert claims == {**CLAIMS, "fresh": False, **extra}
        claims["sub"] = header["alg"] = "bob"
        claims.get("roles", []).append("admin")
        claims.get("deep", {}).get("a", []).append(2)


def test_the_memory_is_bounded(it: Verifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token that was not seen for the longest time is forgotten."""
    monkeypatch.setattr(verifier, "REMEMBERED", 2)
    made = [token(jti=f"j-{number}") for number in range(3)]
    for each in (made[0], made[1], made[0], made[2]):
        it.verify(each)
    monkeypatch.setattr(Keys, "verify", lambda *_: pytest.fail("it is forgotten"))
    it.verify(made[0])
    with pytest.raises(pytest.fail.Exception):
        it.verify(made[1])


def test_a_token_ends_with_its_key(clock: Clock) -> None:
    """A token by a previous secret is refused when that ends, though it was verified before."""
    it = Verifier(Keys([secret(f"new{SECRET}"), secret(SECRET, until=NOW + 30)]), clock=clock)
    made = token()
    it.verify(made)
    clock.now = NOW + 30
    with pytest.raises(TokenRefused, match="Signature"):
        it.verify(made)


def test_many_threads_at_once(it: Verifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that fill a small memory at once get what is right, each time."""
    monkeypatch.setattr(verifier, "REMEMBERED", 3)
    made = {f"j-{number}": token(jti=f"j-{number}") for number in range(8)}
    wrong: list[object] = []

    def work() -> None:
        try:
            for _ in range(60):
                wrong.extend(n for n, t in made.items() if it.verify(t).claims["jti"] != n)
        except Exception as error:  # noqa: BLE001 -- the test tells of it
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_two_verifiers_share_nothing(it: Verifier) -> None:
    """What one has verified another with other keys refuses."""
    made = signed("HS256", SECRET.encode(), as_json(HEADER), as_json(CLAIMS))
    it.verify(made)
    other = Verifier(Keys([secret(f"other{SECRET}")]), clock=it.clock)
    with pytest.raises(TokenRefused):
        other.verify(made)


def test_a_long_text_costs_nothing(it: Verifier) -> None:
    """A megabyte is refused without being read."""
    long = "A" * 1_000_000
    began = time.process_time()
    for _ in range(100):
        with pytest.raises(TokenRefused):
            it.verify(long)
    assert time.process_time() - began < 0.1
