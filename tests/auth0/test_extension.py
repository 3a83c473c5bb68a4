"""What ``app.auth0`` is."""

from __future__ import annotations

import pytest

from buttress import Service, Unhealthy
from buttress.auth0 import Auth0Extension
from buttress.errors import ExtensionError
from buttress.jwt import TokenRefused
from tests.auth0.conftest import AUDIENCE, TenantServer, settings
from tests.services import Make


def test_nothing_is_contacted_before_a_token(app: Service, tenant: TenantServer) -> None:
    """A service boots while its tenant is down."""
    assert (tenant.asked, app.auth0.realm) == ([], "shop")


def test_scopes(make: Make, tenant: TenantServer) -> None:
    """They are those of the token, the permissions of its person, and what the settings give."""
    people = {"pistes:close": ["ann@shop.example"], "all:*": ["bob@shop.example"]}
    given = settings(tenant) | {"AUTH0_AUTH_SCOPES": people}
    app = make(extensions=["web", Auth0Extension], **given)
    ann = {"email": "ann@shop.example", "email_verified": True}
    said = {"scope": "openid read:x", "permissions": ["write:x", 7]} | ann
    assert app.auth0.verify(tenant.token(**said))["scopes"] == [
        *("openid", "pistes:close", "read:x", "write:x"),
    ]
    assert app.auth0.verify(tenant.token(scope=...))["scopes"] == []


def test_scopes_that_are_none(app: Service, tenant: TenantServer) -> None:
    """What is no text or list gives nothing."""
    claims = app.auth0.verify(tenant.token(scope=["a"], permissions="b", scopes=["c"]))
    assert claims["scopes"] == []


def test_claims(app: Service, tenant: TenantServer) -> None:
    """They are what the token says, and nothing else but the scopes."""
    said = tenant.claims()
    expected = {**said, "scopes": ["openid", "read:pistes"]}
    assert [app.auth0.verify(tenant.token(**said)) for _ in range(2)] == [expected] * 2


@pytest.mark.parametrize("token", ["", "..", "a.b.c", "a.e30.c", "a.W10.c", "a.é.c", "." * 9])
def test_tokens_that_are_not_the_tenants(app: Service, token: str) -> None:
    """Whether a token says to be the tenant's can be asked of anything."""
    assert not app.auth0.issued(token)


def test_tokens_of_the_tenant(app: Service, tenant: TenantServer) -> None:
    """They are recognised by what they say, which is not trusted."""
    assert app.auth0.issued(tenant.token(7))
    assert not app.auth0.issued(tenant.token(iss="https://other.example/"))
    with pytest.raises(TokenRefused):
        app.auth0.verify(tenant.token(7))


def test_health(app: Service, tenant: TenantServer) -> None:
    """It tells how old the keys are; known ones are good enough while the tenant is down."""
    assert app.auth0.check() == {"keys": 1, "seconds": 0}
    tenant.jwks = (500, b"")
    assert app.auth0.check()["keys"] == 1
    assert len(tenant.asked) == 1


def test_health_without_keys(app: Service, tenant: TenantServer) -> None:
    """Without any key no token can be verified."""
    tenant.jwks = (500, b"")
    with pytest.raises(Unhealthy, match="cannot be fetched"):
        app.auth0.check()


def test_no_login(make: Make) -> None:
    """A service without a client says what is missing."""
    app = make(extensions=[Auth0Extension], AUTH_DOMAIN="a.example", AUTH_AUDIENCE=AUDIENCE)
    with pytest.raises(ExtensionError, match="AUTH_CLIENT_ID"):
        _ = app.auth0.login
