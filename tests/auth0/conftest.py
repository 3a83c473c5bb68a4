"""A tenant that the tests play: its keys, its tokens, its login, and its outages."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import trustme
from flask import g

from buttress import Service
from buttress.auth0 import Auth0Extension, mozilla_accept_token, requires_auth
from tests.jwt.conftest import as_json, base64, private_key, signed
from tests.services import Make, services

AUDIENCE, CLIENT = "https://api.shop.example", "client-of-the-shop"
REDIRECT = "https://shop.example/login"
SECRET_KEY = "tQ9xY2mV7bN4kL1pR8sD3fG6hJ0wZ5cA"

Answer = tuple[int, bytes]


def jwk(number: int = 0, **members: object) -> dict[str, Any]:
    """Give the public half of a key, as a tenant publishes it."""
    numbers = private_key("RS256", number).public_key().public_numbers()
    public = {name: _number(getattr(numbers, name)) for name in ("n", "e")}
    named = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": f"key-{number}"}
    return {**named, **public, "x5t": "AAAA", "x5c": ["MIIB"], **members}


def _number(value: int) -> str:
    return base64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class TenantServer:
    """What a tenant publishes and answers; a test changes it, and reads what was asked."""

    def __init__(self, port: int, authority: Path) -> None:
        self.domain = f"127.0.0.1:{port}"
        self.authority = authority
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.jwks: Answer = (200, b"")
        #: More headers of every answer.
        self.headers: dict[str, str] = {}
        self.tokens: Callable[[dict[str, str]], Answer] = lambda _: (500, b"{}")
        self.publish(0)

    @property
    def issuer(self) -> str:
        """Give what its tokens say in ``iss``."""
        return f"https://{self.domain}/"

    def publish(self, *numbers: int) -> None:
        """Publish these keys."""
        self.jwks = (200, as_json({"keys": [jwk(number) for number in numbers]}))

    def claims(self, **claims: object) -> dict[str, Any]:
        """Give the claims of a good access token, or others; ``...`` leaves one out."""
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "sub": "auth0|ann",
            "aud": [AUDIENCE, f"{self.issuer}userinfo"],
            "iat": now,
            "exp": now + 600,
            "azp": CLIENT,
            "scope": "openid read:pistes",
        }
        return {name: it for name, it in {**good, **claims}.items() if it is not ...}

    def token(self, number: int = 0, typ: str = "JWT", **claims: object) -> str:
        """Sign an access token by one of the keys."""
        header = {"alg": "RS256", "typ": typ, "kid": f"key-{number}"}
        payload = as_json(self.claims(**claims))
        return signed("RS256", private_key("RS256", number), as_json(header), payload)

    def answer(self, path: str, body: bytes) -> Answer:
        """Answer a request."""
        self.asked.append(path)
        if path == "/.well-known/jwks.json":
            return self.jwks
        if path == "/oauth/token":
            form = {name: it[0] for name, it in parse_qs(body.decode()).items()}
            self.forms.append(form)
            return self.tokens(form)
        return 404, b"{}"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """Give an authority, and what a server on this machine needs of it."""
    authority = tmp_path_factory.mktemp("auth0") / "authority.pem"
    issuer = trustme.CA()
    issuer.cert_pem.write_to_path(str(authority))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issuer.issue_cert("127.0.0.1").configure_cert(context)
    return authority, context


@pytest.fixture
def tenant(certificate: tuple[Path, ssl.SSLContext]) -> Iterator[TenantServer]:
    """Give a tenant that answers by HTTPS."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            status, content = served.answer(self.path, self.rfile.read(size))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **served.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    authority, context = certificate
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client left
    server.socket = context.wrap_socket(server.socket, server_side=True)
    served = TenantServer(server.server_port, authority)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def make(package: Callable[[Mapping[str, str]], Path]) -> Iterator[Make]:
    """Give a function that makes services; they are closed after the test."""
    with services(package) as make:
        yield make


def settings(tenant: TenantServer) -> dict[str, Any]:
    """Give the settings of a service that takes the tenant's tokens."""
    return {
        "AUTH_DOMAIN": tenant.domain,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_CLIENT_ID": CLIENT,
        "AUTH_CLIENT_SECRET": "nobody knows",
        "AUTH_REDIRECT_URI": REDIRECT,
        "AUTH0_CA_FILE": tenant.authority,
        "AUTH0_TIMEOUT": 2.0,
        "SECRET_KEY": SECRET_KEY,
    }


@pytest.fixture
def app(make: Make, tenant: TenantServer) -> Service:
    """Give a service with routes that take the tenant's tokens."""
    app = make(extensions=["web", Auth0Extension], PROPAGATE_EXCEPTIONS=False, **settings(tenant))
    protect(app)
    return app


def protect(app: Service) -> None:
    """Add a route for each decorator; they tell whom they take the caller for."""

    @app.get("/required")
    @requires_auth
    def required() -> dict[str, Any]:
        return {"sub": g.userinfo["sub"], "scopes": g.userinfo["scopes"], "token": g.access_token}

    @app.get("/accepted")
    @mozilla_accept_token()
    def accepted() -> dict[str, Any]:
        return {"sub": g.userinfo["sub"], "scopes": g.userinfo["scopes"], "token": g.access_token}
