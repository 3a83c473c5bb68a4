"""Services with tokens, and the keys that they have."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from flask import Flask
from flask_jwt_extended import jwt_required
from jwt.algorithms import get_default_algorithms

from buttress import Service
from buttress.jwt import JwtExtension
from tests.services import Make, services

SECRET = "Yq3nN0p4r8Vb-7dKcZ1mTtLx6WfGhJ2s"
ALGORITHMS = ("HS256", "RS256", "ES256", "EdDSA")


@pytest.fixture
def make(package: Callable[[Mapping[str, str]], Path]) -> Iterator[Make]:
    """Give a function that makes services; they are closed after the test."""
    with services(package) as make:
        yield make


@pytest.fixture
def app(make: Make) -> Service:
    """Make a service with tokens."""
    return make(extensions=["web", JwtExtension], JWT_SECRET_KEY=SECRET)


def base64(raw: bytes) -> str:
    """Write bytes as tokens do."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def as_json(value: object) -> bytes:
    """Write a header or a payload."""
    return json.dumps(value, separators=(",", ":")).encode()


@cache
def private_key(algorithm: str, number: int = 0) -> Any:
    """Make a private key, the same one for each number."""
    makers: dict[str, Callable[[], Any]] = {
        "RS256": lambda: rsa.generate_private_key(65537, 2048),
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate,
        "HS256": lambda: (SECRET if number == 0 else f"{number}{SECRET}").encode(),
    }
    return makers[algorithm]()


def pem(key: Any) -> bytes:
    """Write a private key as a file has it."""
    written: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return written


def public_pem(key: Any) -> bytes:
    """Write the public half of a private key as a file has it."""
    public = key.public_key()
    written: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return written


def signed(algorithm: str, key: Any, header: bytes, payload: bytes) -> str:
    """Sign what may be no good token."""
    first = f"{base64(header)}.{base64(payload)}"
    signature = get_default_algorithms()[algorithm].sign(first.encode(), key)
    return f"{first}.{base64(signature)}"


def bearer(token: str) -> dict[str, str]:
    """Give the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def protect(app: Flask, path: str, view: Callable[..., Any], **options: Any) -> None:
    """Protect a view by ``@jwt_required(**options)`` and give it a path."""
    route(app, path, jwt_required(**options)(view))


def route(app: Flask, path: str, view: Callable[..., Any]) -> None:
    """Give a view a path, by which it is also called."""
    app.add_url_rule(path, path, view, methods=["GET", "POST"])


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
