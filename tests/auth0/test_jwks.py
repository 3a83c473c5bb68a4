"""The keys of a tenant: fetched when they are needed, and kept while it is down."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from buttress import Unavailable
from buttress.auth0.jwks import LASTS, PAUSE, RETRY, Jwks, KeyUnknown, TenantKeys, signing
from buttress.auth0.tenant import TenantDown
from buttress.jwt import TokenRefused
from tests.auth0.conftest import jwk
from tests.jwt.conftest import Clock

#: Keys that no token of ours is signed by.
OTHERS = {
    "for encryption": jwk(use="enc"),
    "for PS256": jwk(alg="PS256"),
    "for wrapping": jwk(key_ops=["wrapKey"]),
    "odd operations": jwk(key_ops=5),
    "a secret": {"kty": "oct", "k": "AAAA", "kid": "key-0", "alg": "RS256"},
    "a curve": {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA", "kid": "key-0"},
    "no id": {name: it for name, it in jwk().items() if name != "kid"},
    "an empty id": jwk(kid=""),
    "an id that is none": jwk(kid=7),
    "no modulus": jwk(n=None),
    "a short modulus": jwk(n="AQAB"),
    "an even exponent": jwk(e="Ag"),
    "text": "key-0",
}


class Published:
    """What a tenant publishes; it counts how often it was asked."""

    def __init__(self) -> None:
        self.numbers = [0]
        self.down = False
        self.asked = 0

    def __call__(self) -> dict[str, Any]:
        """Give the keys, or fail."""
        self.asked += 1
        if self.down:
            raise TenantDown("it does not answer")
        return {"keys": [jwk(number) for number in self.numbers]}


@pytest.fixture
def published() -> Published:
    """Give a tenant with one key."""
    return Published()


@pytest.fixture
def clock() -> Clock:
    """Give a clock."""
    return Clock(1000.0)


@pytest.fixture
def jwks(published: Published, clock: Clock) -> Jwks:
    """Give what keeps its keys."""
    return Jwks(published, clock)


def named(kid: str) -> Callable[[TenantKeys], str]:
    """Make what looks for a key."""

    def look(keys: TenantKeys) -> str:
        with pytest.raises(TokenRefused) as caught:
            keys.verify({"alg": "RS256", "kid": kid}, b"", b"", 0)
        if isinstance(caught.value, KeyUnknown):
            raise caught.value
        return kid

    return look


def test_keys_are_fetched_once(jwks: Jwks, published: Published) -> None:
    """They are fetched when they are first needed, and then known."""
    assert published.asked == 0
    assert jwks.keys() is jwks.keys()
    assert (published.asked, len(jwks.keys())) == (1, 1)


def test_a_new_key_is_found(jwks: Jwks, published: Published, clock: Clock) -> None:
    """A key that was published since is found when a token names it."""
    jwks.keys()
    published.numbers = [1]
    clock.now += PAUSE
    assert jwks.trying(named("key-1")) == "key-1"
    with pytest.raises(KeyUnknown):
        jwks.trying(named("key-0"))


def test_unknown_keys_are_asked_for_seldom(jwks: Jwks, published: Published, clock: Clock) -> None:
    """However many are named, the tenant is asked once in a while."""
    for number in range(100):
        clock.now += 0.1
        with pytest.raises(KeyUnknown):
            jwks.trying(named(f"evil-{number}"))
    assert published.asked == 1
    clock.now += PAUSE
    with pytest.raises(KeyUnknown):
        jwks.trying(named("evil"))
    assert published.asked == 2


def test_the_same_set_is_kept(jwks: Jwks, published: Published, clock: Clock) -> None:
    """What was verified by it need not be verified again."""
    keys = jwks.keys()
    clock.now += LASTS
    assert (jwks.keys(), published.asked, jwks.age) == (keys, 2, 0)


def test_a_key_that_is_withdrawn_ends(jwks: Jwks, published: Published, clock: Clock) -> None:
    """The keys are fetched anew after a while, though every token names one that is known."""
    published.numbers = [0, 1]
    assert jwks.trying(named("key-0"))
    published.numbers = [1]
    clock.now += LASTS
    with pytest.raises(KeyUnknown):
        jwks.trying(named("key-0"))


def test_known_keys_outlive_the_tenant(jwks: Jwks, published: Published, clock: Clock) -> None:
    """While it is down, what is known goes on, and what is not known is 503."""
    jwks.keys()
    published.down = True
    clock.now += 10 * LASTS
    assert jwks.trying(named("key-0")) == "key-0"
    with pytest.raises(Unavailable):
        jwks.trying(named("key-1"))
    assert published.asked == 2


def test_it_recovers(jwks: Jwks, published: Published, clock: Clock) -> None:
    """A tenant that is down is left alone for some seconds, and then asked again."""
    published.down = True
    for _ in range(3):
        with pytest.raises(Unavailable):
            jwks.keys()
    assert published.asked == 1
    published.down = False
    clock.now += RETRY
    assert jwks.trying(named("key-0")) == "key-0"


def test_many_wait_for_one_fetch(clock: Clock) -> None:
    """Of many requests at a cold start one asks."""
    asked, go = [], threading.Event()

    def fetch() -> dict[str, Any]:
        asked.append(1)
        go.wait(5)
        return {"keys": [jwk()]}

    jwks, found = Jwks(fetch, clock), []
    threads = [threading.Thread(target=lambda: found.append(jwks.keys())) for _ in range(8)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join()
    assert (len(asked), len(set(map(id, found))), len(found)) == (1, 1, 8)


def test_nobody_waits_where_keys_are_old(
    jwks: Jwks, published: Published, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one request fetches them anew, the others go on with those that are known."""
    known = jwks.keys()
    inner: list[TenantKeys] = []

    def fetch() -> dict[str, Any]:
        thread = threading.Thread(target=lambda: inner.append(jwks.keys()))
        thread.start()
        thread.join(1)
        return {"keys": [jwk(1)]}

    monkeypatch.setattr(jwks, "_fetch", fetch)
    clock.now += LASTS
    assert jwks.keys() is not known
    assert inner == [known]


@pytest.mark.parametrize("name", OTHERS)
def test_keys_for_other_purposes(name: str) -> None:
    """What signs no token by RS256 is passed over, and does not spoil the set."""
    assert [it["kid"] for it in signing({"keys": [OTHERS[name], jwk(1)]})] == ["key-1"]
    with pytest.raises(ValueError, match="no key for RS256"):
        signing({"keys": [OTHERS[name]]})


def test_nothing_private_is_kept() -> None:
    """Of a key that should not have been published only the public half is read."""
    assert signing({"keys": [jwk(d="AAAA", p="AA", jku="x")]}) == [
        {name: jwk()[name] for name in ("kty", "n", "e", "kid")}
    ]


@pytest.mark.parametrize(
    "document",
    [{}, {"keys": None}, {"keys": []}, {"keys": {}}, {"keys": [{}] * 100 + [jwk(1)]}],
    ids=["nothing", "null", "empty", "an object", "too many"],
)
def test_what_is_no_set(published: Published, clock: Clock, document: dict[str, Any]) -> None:
    """An answer without keys is no answer, so known keys stay."""
    answers = [{"keys": [jwk()]}, document]
    jwks = Jwks(lambda: answers.pop(0), clock)
    known = jwks.keys()
    clock.now += LASTS
    assert jwks.keys() is known


def test_two_keys_of_one_name(clock: Clock) -> None:
    """A set in which a name is twice is none: it is not known which is meant."""
    jwks = Jwks(lambda: {"keys": [jwk(), jwk(1, kid="key-0")]}, clock)
    with pytest.raises(Unavailable):
        jwks.keys()
