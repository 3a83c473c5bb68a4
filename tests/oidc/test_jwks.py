"""The keys of a provider."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from jwt.algorithms import get_default_algorithms

from buttress.jwt import TokenRefused, Verifier
from buttress.oidc import Jwks, KeyUnknown, ProviderKeys
from buttress.oidc.kept import LASTS, PAUSE
from tests.jwt.conftest import Clock, as_json, private_key, signed


@cache
def jwk(number: int = 0, algorithm: str = "RS256") -> dict[str, Any]:
    """Give the public half of a key, as a provider publishes it."""
    public = private_key(algorithm, number).public_key()
    named = {"use": "sig", "alg": algorithm, "kid": f"key-{number}", "x5c": ["MIIB"]}
    return {**get_default_algorithms()[algorithm].to_jwk(public, as_dict=True), **named}


def token(number: int = 0, algorithm: str = "RS256", **header: object) -> str:
    """Sign something by a key; ``...`` leaves a member of the header out."""
    said = {"alg": algorithm, "kid": f"key-{number}", **header}
    made = {name: it for name, it in said.items() if it is not ...}
    return signed(algorithm, private_key(algorithm, number), as_json(made), b"{}")


def signs(text: str) -> Callable[[ProviderKeys], bool]:
    """Make what looks whether a token is signed by a key of a set."""

    def verify(keys: ProviderKeys) -> bool:
        return Verifier(keys).signed(text) is not None

    return verify


#: Keys that sign no token.
OTHERS: dict[str, Any] = {
    "for encryption": {**jwk(), "use": "enc"},
    "for PS256": {**jwk(), "alg": "PS256"},
    "for wrapping": {**jwk(), "key_ops": ["wrapKey"]},
    "odd operations": {**jwk(), "key_ops": 5},
    "a secret": {"kty": "oct", "k": "A" * 64, "kid": "key-0", "alg": "HS256"},
    "a secret for RS256": {"kty": "oct", "k": "A" * 64, "kid": "key-0", "alg": "RS256"},
    "a broken curve": {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA", "kid": "key-0"},
    "another curve": {"kty": "EC", "crv": "secp256k1", "x": "AAAA", "y": "AAAA"},
    "of another age": {"kty": "AKP", "kid": "key-0", "pub": "x"},
    "an odd kind": {**jwk(), "kty": ["RSA"]},
    "an empty id": {**jwk(), "kid": ""},
    "an id that is none": {**jwk(), "kid": 7},
    "no modulus": {**jwk(), "n": None},
    "a short modulus": {**jwk(), "n": "AQAB"},
    "an even exponent": {**jwk(), "e": "Ag"},
    "text": "key-0",
}


@pytest.fixture
def clock() -> Clock:
    """Give a clock."""
    return Clock(1000.0)


class Published:
    """The set of a provider; it counts how often it was asked for."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys) or [jwk()]
        self.asked = 0

    def __call__(self) -> ProviderKeys:
        """Give the keys."""
        self.asked += 1
        return ProviderKeys({"keys": self.keys})


@pytest.mark.parametrize("name", OTHERS)
def test_keys_for_other_purposes(name: str) -> None:
    """What signs no token is passed over, and does not spoil the set."""
    assert len(ProviderKeys({"keys": [OTHERS[name], jwk(1)]})) == 1
    with pytest.raises(ValueError, match="no key for RS256"):
        ProviderKeys({"keys": [OTHERS[name]]})


@pytest.mark.parametrize(
    "document",
    [{}, {"keys": None}, {"keys": []}, {"keys": {}}, {"keys": [{}] * 100 + [jwk(1)]}],
    ids=["nothing", "null", "empty", "an object", "too many"],
)
def test_what_is_no_set(document: dict[str, Any]) -> None:
    """An answer without keys is none."""
    with pytest.raises(ValueError, match="it "):
        ProviderKeys(document)


def test_two_keys_of_one_name() -> None:
    """A set in which a name is twice is none: it is not known which is meant."""
    with pytest.raises(ValueError, match="same id"):
        ProviderKeys({"keys": [jwk(), {**jwk(1), "kid": "key-0"}]})


def test_nothing_private_is_kept() -> None:
    """Of a key that should not have been published only the public half is read."""
    keys = ProviderKeys({"keys": [{**jwk(), "d": "AAAA", "p": "AA", "jku": "x"}]})
    assert keys == ProviderKeys({"keys": [jwk()]})
    assert keys.signing is None


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_keys_of_each_kind(algorithm: str) -> None:
    """A provider may sign by each algorithm that is taken, and only by those that are wanted."""
    keys = ProviderKeys({"keys": [jwk(0, algorithm)]})
    assert signs(token(0, algorithm))(keys)
    with pytest.raises(TokenRefused):
        signs(token(1, algorithm, kid="key-0"))(keys)
    other = {"RS256": "ES256"}.get(algorithm, "RS256")
    narrow = ProviderKeys({"keys": [jwk(0, algorithm), jwk(1, other)]}, [other])
    with pytest.raises(TokenRefused, match="not allowed"):
        signs(token(0, algorithm))(narrow)
    without_algorithm = {name: it for name, it in jwk(1, algorithm).items() if name != "alg"}
    with pytest.raises(ValueError, match=f"no key for {other}"):
        ProviderKeys({"keys": [jwk(0, algorithm), without_algorithm]}, [other])


@pytest.mark.parametrize("alg", ["none", "HS256", "PS256", ["RS256"], None, "rs256"], ids=str)
def test_other_algorithms(alg: object) -> None:
    """A token cannot choose by what it is verified, and makes nobody ask for newer keys."""
    with pytest.raises(TokenRefused, match="not allowed") as caught:
        signs(token(alg=alg))(ProviderKeys({"keys": [jwk()]}))
    assert not isinstance(caught.value, KeyUnknown)


def test_a_token_without_a_name_of_a_key() -> None:
    """It is by the only key that there is (OpenID Connect Core, 10.1), named or not."""
    unnamed = {name: it for name, it in jwk().items() if name != "kid"}
    for published in (jwk(), unnamed):
        assert signs(token(kid=...))(ProviderKeys({"keys": [published]}))
    with pytest.raises(TokenRefused, match="names no key"):
        signs(token(kid=...))(ProviderKeys({"keys": [jwk(), jwk(1)]}))


@pytest.mark.parametrize("kid", [None, 7, [], "", "KEY-0", "../key-0"], ids=str)
def test_names_of_no_key(kid: object) -> None:
    """A name that is none is unknown."""
    with pytest.raises(KeyUnknown):
        signs(token(kid=kid))(ProviderKeys({"keys": [jwk()]}))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
@pytest.mark.parametrize("header", [{}, {"kid": ...}], ids=["named", "unnamed"])
def test_a_new_key_is_found(clock: Clock, algorithm: str, header: dict[str, Any]) -> None:
    """A key that was published since is taken, of another kind too; the old one no longer."""
    published = Published()
    jwks = Jwks("the keys", published, clock)
    assert jwks.trying(signs(token()))
    published.keys = [jwk(1, algorithm)]
    clock.now += PAUSE
    assert jwks.trying(signs(token(1, algorithm, **header)))
    with pytest.raises(TokenRefused):
        jwks.trying(signs(token()))


def test_unknown_keys_are_asked_for_seldom(clock: Clock) -> None:
    """However many are named, the provider is asked once in a while."""
    published = Published()
    jwks = Jwks("the keys", published, clock)
    for number in range(20):
        with pytest.raises(KeyUnknown):
            jwks.trying(signs(token(kid=f"evil-{number}")))
    assert published.asked == 1


def test_a_key_that_is_withdrawn_ends(clock: Clock) -> None:
    """The keys are fetched anew after a while, though every token names one that is known."""
    published = Published(jwk(), jwk(1))
    jwks = Jwks("the keys", published, clock)
    assert jwks.trying(signs(token()))
    published.keys = [jwk(1)]
    clock.now += LASTS
    with pytest.raises(KeyUnknown):
        jwks.trying(signs(token()))
