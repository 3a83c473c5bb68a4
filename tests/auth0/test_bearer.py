"""Tokens of a tenant, as the authenticator ``bearer`` of the extension ``auth`` takes them."""

from __future__ import annotations

import pytest
from flask_jwt_extended import create_access_token

from buttress import Service, auth
from tests.auth0.conftest import TenantServer, settings
from tests.jwt.conftest import SECRET, bearer
from tests.services import Make


@pytest.fixture
def app(make: Make, tenant: TenantServer) -> Service:
    """Give a service that takes tokens of both."""
    extensions = ["web", "auth", "jwt", "auth0"]
    app = make(
        extensions=extensions,
        JWT_SECRET_KEY=SECRET,
        PROPAGATE_EXCEPTIONS=False,
        **settings(tenant),
    )
    app.add_url_rule("/me", "me", auth.required(who))
    app.add_url_rule("/pistes", "pistes", auth.scopes("read:pistes")(lambda: who()))
    return app


def who() -> dict[str, str]:
    """Say who makes the request."""
    return {"id": auth.principal.id}


def test_each_is_verified_by_its_own(app: Service, tenant: TenantServer) -> None:
    """A token is the tenant's where it says so, and otherwise ours."""
    with app.app_context():
        ours = create_access_token("ann")
    client = app.test_client()
    assert client.get("/me", headers=bearer(ours)).json == {"id": "ann"}
    assert tenant.asked == []
    assert client.get("/me", headers=bearer(tenant.token())).json == {"id": "auth0|ann"}


def test_neither_passes_for_the_other(app: Service, tenant: TenantServer) -> None:
    """Our own key makes no token of the tenant, and the tenant none of ours."""
    with app.app_context():
        forged = create_access_token("ann", additional_claims=tenant.claims())
    client = app.test_client()
    for token in (forged, tenant.token(iss="ours"), tenant.token(iss=..., type="access", jti="j")):
        assert client.get("/me", headers=bearer(token)).status_code == 401


def test_scopes_of_the_tenant(app: Service, tenant: TenantServer) -> None:
    """What the tenant's token allows decides, its permissions too."""
    client = app.test_client()
    by_role = tenant.token(scope=..., permissions=["read:pistes"])
    tokens = [tenant.token(), by_role, tenant.token(scope="openid")]
    answers = [client.get("/pistes", headers=bearer(it)).status_code for it in tokens]
    assert answers == [200, 200, 403]


def test_the_tenant_is_down(app: Service, tenant: TenantServer) -> None:
    """Its tokens are 503, and ours go on."""
    tenant.jwks = (500, b"")
    with app.app_context():
        ours = create_access_token("ann")
    client = app.test_client()
    assert client.get("/me", headers=bearer(tenant.token())).status_code == 503
    assert client.get("/me", headers=bearer(ours)).status_code == 200


def test_no_extension_knows_the_issuer(make: Make, tenant: TenantServer) -> None:
    """Without ``jwt`` only the tenant's tokens are taken."""
    app = make(extensions=["web", "auth", "auth0"], **settings(tenant))
    app.add_url_rule("/me", "me", auth.required(who))
    client = app.test_client()
    tokens = [tenant.token(), tenant.token(iss="https://other.example/")]
    assert [client.get("/me", headers=bearer(it)).status_code for it in tokens] == [200, 401]
