"""Keys: what signs and verifies tokens. Each is for one algorithm alone (RFC 8725, 3.1)."""

from __future__ import annotations

import json
import math
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from jwt import PyJWTError
from jwt.algorithms import Algorithm, get_default_algorithms

from buttress.jwt.refusal import TokenRefused

#: Least bytes of a secret (RFC 7518, 3.2), and least bits of an RSA key (3.3).
SECRET_BYTES, RSA_BITS = 32, 2048

_ALL = get_default_algorithms()
ALGORITHMS: dict[str, Algorithm] = {
    name: _ALL[name] for name in ("HS256", "RS256", "ES256", "EdDSA")
}
#: The algorithm of a JWK, by its type and curve.
_OF_JWK: dict[tuple[object, object], str] = {
    ("oct", None): "HS256",
    ("RSA", None): "RS256",
    ("EC", "P-256"): "ES256",
    ("OKP", "Ed25519"): "EdDSA",
}
#: The members that a thumbprint is made of (RFC 7638, 3.2; RFC 8037, 2).
_THUMB = frozenset({"crv", "e", "kty", "n", "x", "y"})
_PRIVATE = (RSAPrivateKey, EllipticCurvePrivateKey, Ed25519PrivateKey)


class Key(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A key with its one algorithm."""

    algorithm: str
    #: What verifies: a secret, or a public key.
    public: Any
    #: What signs; ``None`` where this key only verifies.
    private: Any = None
    #: What a token's ``kid`` names it by; a secret has none unless it is a JWK.
    id: str | None = None
    #: When it ends, in seconds since 1970.
    until: float = math.inf

    def __repr__(self) -> str:
        return f"<Key {self.algorithm} {self.id}>"

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        """Tell whether a signature is by this key."""
        return ALGORITHMS[self.algorithm].verify(signed, self.public, signature)

    def sign(self, signed: bytes) -> bytes:
        """Give this key's signature; it must have what signs."""
        return ALGORITHMS[self.algorithm].sign(signed, self.private)


class Keys:
    """The keys of a service; the first that can sign does.

    Raises `ValueError` for keys of which two have one id, and for secrets among public keys: a
    token could name one of them and be signed by another.
    """

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = tuple(keys)
        named = [key.id for key in self._keys if key.id is not None]
        if len(set(named)) != len(named):
            raise ValueError("two keys have the same id")
        if len({key.algorithm == "HS256" for key in self._keys}) != 1:
            raise ValueError("there must be a key, and secrets must not be among public keys")
        self.signing = next((key for key in self._keys if key.private is not None), None)

    def verify(self, header: Mapping[str, Any], signed: bytes, signature: bytes, now: float) -> Key:
        """Give the key that made a signature. Raises `TokenRefused` where none of these did."""
        for key in self._candidates(header):
            if now < key.until and key.verifies(signed, signature):
                return key
        raise TokenRefused("Signature verification failed")

    def _candidates(self, header: Mapping[str, Any]) -> list[Key]:
        algorithm = header.get("alg")
        found = [key for key in self._keys if key.algorithm == algorithm]
        if not found:
            raise TokenRefused("The token is signed by an algorithm that is not allowed")
        if "kid" in header:
            found = [key for key in found if key.id is not None and key.id == header["kid"]]
            if not found:
                raise TokenRefused("The token names a key that is not known")
        return found


def secret(text: str | bytes, until: float = math.inf) -> Key:
    """Make the key of a secret. Raises `ValueError` for one that is too short, or a public key."""
    raw = text.encode() if isinstance(text, str) else text
    if len(raw) < SECRET_BYTES:
        raise ValueError(f"a secret for HS256 must have at least {SECRET_BYTES} bytes")
    try:
        ALGORITHMS["HS256"].prepare_key(raw)
    except PyJWTError as error:
        raise ValueError("a secret for HS256 is a key of another kind") from error
    return Key(algorithm="HS256", public=raw, private=raw, until=until)


def read_keys(path: Path) -> list[Key]:
    """Read the keys of a file: one in PEM, a JWK, or a set of JWKs.

    Raises `ValueError` for what is no key or no good one.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ValueError(f"it cannot be read: {error.strerror}") from error
    if raw.lstrip().startswith(b"{"):
        found = json.loads(raw)
        listed = found.get("keys", [found])
        if not isinstance(listed, list):
            raise ValueError("its keys are no list")
        return [from_jwk(jwk) for jwk in listed]
    return [_from_pem(raw)]


def from_jwk(jwk: Mapping[str, Any]) -> Key:
    """Make a key of a JWK (RFC 7517). Raises `ValueError` for one that may not verify tokens."""
    if not isinstance(jwk, Mapping):
        raise ValueError("a JWK is no JSON object")
    kind = jwk.get("kty"), jwk.get("crv")
    # Whoever publishes keys may have written anything, also what cannot be looked up.
    algorithm = next((_OF_JWK[known] for known in _OF_JWK if known == kind), None)
    if algorithm is None or jwk.get("alg", algorithm) != algorithm:
        raise ValueError(f"a JWK is of no kind that is allowed ({', '.join(ALGORITHMS)})")
    operations = jwk.get("key_ops", ["verify"])
    signs = isinstance(operations, list) and ("verify" in operations or "sign" in operations)
    if jwk.get("use", "sig") != "sig" or not signs:
        raise ValueError("a JWK is not for signatures")
    identity = jwk.get("kid")
    if not isinstance(identity, str | None):
        raise ValueError("the kid of a JWK is no text")
    try:
        material = ALGORITHMS[algorithm].from_jwk(dict(jwk))
    except (PyJWTError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"a JWK is malformed: {error}") from None
    if algorithm == "HS256":
        return msgspec.structs.replace(secret(material), id=identity)
    return _asymmetric(material, identity)


def _from_pem(raw: bytes) -> Key:
    try:
        if b"PRIVATE KEY" in raw:
            return _asymmetric(load_pem_private_key(raw, None))
        return _asymmetric(load_pem_public_key(raw))
    except TypeError as error:  # it is encrypted
        raise ValueError(f"{error}") from None


def _asymmetric(material: Any, identity: str | None = None) -> Key:
    private = material if isinstance(material, _PRIVATE) else None
    public = material.public_key() if private is not None else material
    algorithm = _algorithm_of(public)
    return Key(
        algorithm=algorithm,
        public=public,
        private=private,
        id=_thumbprint(algorithm, public) if identity is None else identity,
    )


def _algorithm_of(public: Any) -> str:
    if isinstance(public, RSAPublicKey):
        _check_rsa(public)
        return "RS256"
    if isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1):
        return "ES256"
    if isinstance(public, Ed25519PublicKey):
        return "EdDSA"
    raise ValueError("a key is neither RSA, nor of the curve P-256, nor Ed25519")


def _check_rsa(public: RSAPublicKey) -> None:
    numbers = public.public_numbers()
    if public.key_size < RSA_BITS:
        raise ValueError(f"an RSA key has fewer than {RSA_BITS} bits")
    if numbers.e < 3 or numbers.e % 2 == 0:
        raise ValueError("an RSA key has a wrong exponent")
    if _has_roca(numbers.n):
        raise ValueError("an RSA key can be factored (ROCA, CVE-2017-15361): replace it")


def _has_roca(modulus: int) -> bool:
    """Tell whether a faulty chip made a key: modulo small primes it is a power of 65537.

    The fingerprint is that of Nemec and others, "The Return of Coppersmith's Attack", 2017.
    """
    return all(modulus % prime in powers for prime, powers in _FINGERPRINT)


def _powers(prime: int) -> frozenset[int]:
    return frozenset(pow(65537, exponent, prime) for exponent in range(prime - 1))


_FINGERPRINT = [
    (prime, _powers(prime))
    for prime in range(3, 168)
    if all(prime % divisor for divisor in range(2, prime))
]


def _thumbprint(algorithm: str, public: Any) -> str:
    """Name a key by what it is (RFC 7638)."""
    jwk = ALGORITHMS[algorithm].to_jwk(public, as_dict=True)
    members = {name: jwk[name] for name in sorted(_THUMB & jwk.keys())}
    digest = sha256(json.dumps(members, separators=(",", ":")).encode()).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")
