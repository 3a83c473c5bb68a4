"""What is asked of a tenant."""

from __future__ import annotations

import socket
import zlib
from contextlib import closing

import pytest

from buttress.auth0.settings import Auth0Settings
from buttress.auth0.tenant import LONGEST, Tenant, TenantDown, TenantRefuses
from tests.auth0.conftest import AUDIENCE, Answer, TenantServer
from tools.services.place import free_port

USELESS: dict[str, Answer] = {
    "an error": (500, b"{}"),
    "a redirect": (302, b"{}"),
    "no content": (204, b""),
    "too many requests": (429, b'{"error": "access_denied"}'),
    "not found": (404, b"{}"),
    "an odd error": (403, b'{"error": {}}'),
    "nothing": (200, b""),
    "no JSON": (200, b"<html>"),
    "a list": (200, b"[]"),
    "no UTF-8": (200, b'{"keys": "\xff"}'),
    "too much": (200, b'{"keys": "' + b"x" * LONGEST + b'"}'),
    "deep": (200, b'{"keys":' + b"[" * 30_000),
}


def asking(domain: str, **settings: object) -> Tenant:
    """Make what asks a tenant."""
    given = {"timeout": 2.0, **settings}
    return Tenant(Auth0Settings(domain=domain, audience=AUDIENCE, **given))


@pytest.mark.parametrize("name", USELESS)
def test_what_is_no_answer(tenant: TenantServer, name: str) -> None:
    """An answer that says nothing is as none."""
    tenant.jwks = USELESS[name]
    with pytest.raises(TenantDown, match="jwks.json"):
        asking(tenant.domain, ca_file=tenant.authority).jwks()


@pytest.mark.parametrize(
    ("status", "headers"),
    [(307, {"Location": "/oauth/token"}), (200, {"Content-Encoding": "deflate"})],
    ids=["a redirect", "compressed"],
)
def test_answers_that_lead_on(tenant: TenantServer, status: int, headers: dict[str, str]) -> None:
    """A redirect is not followed, and nothing is unpacked."""
    tenant.jwks, tenant.headers = (status, zlib.compress(b"{}")), headers
    tenant.tokens = lambda _: (200, b"{}")
    with pytest.raises(TenantDown):
        asking(tenant.domain, ca_file=tenant.authority).jwks()
    assert tenant.asked == ["/.well-known/jwks.json"]


def test_the_environment_has_no_say(tenant: TenantServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a proxy nor an authority of the environment comes between."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "")
    assert asking(tenant.domain, ca_file=tenant.authority).jwks()["keys"]


def test_a_refusal(tenant: TenantServer) -> None:
    """It has the tenant's code."""
    tenant.tokens = lambda _: (403, b'{"error": "invalid_grant"}')
    with pytest.raises(TenantRefuses) as caught:
        asking(tenant.domain, ca_file=tenant.authority).tokens({})
    assert caught.value.error == "invalid_grant"


def test_an_authority_that_is_not_trusted(tenant: TenantServer) -> None:
    """A server that cannot show to be the tenant is asked nothing."""
    with pytest.raises(TenantDown, match="CERTIFICATE_VERIFY_FAILED"):
        asking(tenant.domain).tokens({"client_secret": "x"})
    assert tenant.forms == []


def test_nobody_answers() -> None:
    """A tenant that cannot be reached is down."""
    with pytest.raises(TenantDown):
        asking(f"127.0.0.1:{free_port()}").jwks()


def test_silence(tenant: TenantServer) -> None:
    """A tenant that says nothing is left after a time."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(TenantDown, match="timed out"):
            asking(f"127.0.0.1:{port}", timeout=0.1).jwks()
