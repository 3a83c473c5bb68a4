"""Keys: which are good, what they are for, and what they are called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization import PrivateFormat as Format
from jwt.algorithms import get_default_algorithms

from buttress.jwt import Keys, TokenRefused, Verifier, from_jwk, read_keys, secret
from tests.jwt.conftest import SECRET, as_json, pem, private_key, public_pem, signed

#: The example of RFC 7638, 3.1, and its thumbprint.
RSA_OF_RFC = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
    "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Q"
    "vzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZ"
    "u0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
}
THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def jwk_of(algorithm: str, number: int = 0, **members: Any) -> dict[str, Any]:
    """Give the public half of a key as a JWK."""
    made = get_default_algorithms()[algorithm].to_jwk(
        private_key(algorithm, number).public_key(), as_dict=True
    )
    return {**made, **members}


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_file_in_pem(tmp_path: Path, algorithm: str) -> None:
    """A private key signs, its public half only verifies, and both have the same name."""
    private = private_key(algorithm)
    (tmp_path / "private.pem").write_bytes(pem(private))
    (tmp_path / "public.pem").write_bytes(public_pem(private))
    (signs,) = read_keys(tmp_path / "private.pem")
    (verifies,) = read_keys(tmp_path / "public.pem")
    assert (signs.algorithm, verifies.algorithm) == (algorithm, algorithm)
    assert (signs.private is not None, verifies.private) == (True, None)
    assert signs.id == verifies.id


def test_a_file_with_a_set(tmp_path: Path) -> None:
    """The keys of a set keep their names."""
    keys = [jwk_of("ES256", kid="new"), jwk_of("ES256", 1, kid="old")]
    (tmp_path / "keys.json").write_text(json.dumps({"keys": keys}))
    assert [key.id for key in read_keys(tmp_path / "keys.json")] == ["new", "old"]


def test_the_thumbprint_is_the_name() -> None:
    """A key without a name is called as RFC 7638 says."""
    assert from_jwk(RSA_OF_RFC).id == THUMBPRINT


@pytest.mark.parametrize(
    ("jwk", "problem"),
    [
        ({"kty": "oct", "k": "AAAA"}, "at least 32 bytes"),
        ({"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "fewer than 2048 bits|malformed"),
        ({"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}, "no kind that is allowed"),
        ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "malformed"),
        ({"kty": "OKP", "crv": "Ed448", "x": "AA"}, "no kind that is allowed"),
        ({"kty": "RSA"}, "malformed"),
        ({}, "no kind that is allowed"),
        ({**RSA_OF_RFC, "alg": "PS256"}, "no kind that is allowed"),
        ({**RSA_OF_RFC, "alg": "HS256"}, "no kind that is allowed"),
        ({**RSA_OF_RFC, "use": "enc"}, "not for signatures"),
        ({**RSA_OF_RFC, "key_ops": ["encrypt"]}, "not for signatures"),
        ({**RSA_OF_RFC, "e": "AQ"}, "wrong exponent|malformed"),
        ({**RSA_OF_RFC, "kid": 1}, "kid of a JWK is no text"),
        ({**RSA_OF_RFC, "key_ops": None}, "not for signatures"),
        ({**RSA_OF_RFC, "key_ops": "verify"}, "not for signatures"),
        ({**RSA_OF_RFC, "key_ops": [["verify"]]}, "not for signatures"),
        ({**RSA_OF_RFC, "kty": ["RSA"]}, "no kind that is allowed"),
        ({**RSA_OF_RFC, "crv": {}}, "no kind that is allowed"),
        (["RSA"], "no JSON object"),
    ],
)
def test_a_jwk_that_may_not_verify(jwk: dict[str, Any], problem: str) -> None:
    """A key that is weak, malformed or for something else is refused, with the reason."""
    with pytest.raises(ValueError, match=problem):
        from_jwk(jwk)


def test_a_key_in_pem_that_may_not_verify(tmp_path: Path) -> None:
    """Short RSA keys, other curves, passphrases and what is no key are refused."""
    path = tmp_path / "key.pem"
    locked = private_key("ES256").private_bytes(
        Encoding.PEM, Format.PKCS8, BestAvailableEncryption(b"x")
    )
    for raw in (
        pem(rsa.generate_private_key(65537, 1024)),  # noqa: S505  # which is the point
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(ed448.Ed448PrivateKey.generate()),
        *(locked, b"no key", b"", b"{", b"{}", b'{"keys": []}', b'{"keys": {}}', b'{"keys": [1]}'),
    ):
        path.write_bytes(raw)
        with pytest.raises(ValueError, match=r"."):
            Keys(read_keys(path))
    with pytest.raises(ValueError, match="cannot be read"):
        read_keys(tmp_path / "missing.pem")


def test_a_secret_has_at_least_32_bytes() -> None:
    """A shorter one could be guessed."""
    with pytest.raises(ValueError, match="at least 32 bytes"):
        secret("x" * 31)
    assert secret("x" * 32).algorithm == "HS256"


def test_a_public_key_is_no_secret() -> None:
    """Who takes one for a secret would let everybody sign (RFC 8725, 2.1)."""
    for raw in (public_pem(private_key("RS256")), as_json(jwk_of("RS256"))):
        with pytest.raises(ValueError, match="another kind"):
            secret(raw)


def test_keys_that_do_not_go_together() -> None:
    """Two keys of one name, secrets among public keys, and no key at all are refused."""
    one, other = from_jwk(jwk_of("ES256", kid="k")), from_jwk(jwk_of("RS256", kid="k"))
    for keys in ([one, other], [one, secret(SECRET)], []):
        with pytest.raises(ValueError, match=r"same id|must be a key"):
            Keys(keys)


def test_a_key_ends_at_its_time() -> None:
    """From then on it verifies nothing."""
    keys = Keys([secret(f"new{SECRET}"), secret(SECRET, until=1000.0)])
    token = signed("HS256", SECRET.encode(), as_json({"alg": "HS256"}), b"{}")
    assert Verifier(keys, clock=lambda: 999.0).signed(token)[2].until == 1000.0
    with pytest.raises(TokenRefused, match="Signature verification failed"):
        Verifier(keys, clock=lambda: 1000.0).signed(token)


def test_a_key_shows_nothing_of_itself() -> None:
    """Its text form names it and no more."""
    assert repr(secret(SECRET)) == "<Key HS256 None>"
    assert SECRET not in repr([secret(SECRET)])
