"""How a tenant is asked."""

from __future__ import annotations

import pytest
from jwt.algorithms import get_default_algorithms

from buttress import Service, Unavailable
from buttress.auth0 import Auth0Extension
from buttress.jwt import TokenRefused
from tests.auth0.conftest import TenantServer, jwk, settings
from tests.jwt.conftest import as_json, private_key, signed
from tests.services import Make


def test_an_authority_that_is_not_trusted(make: Make, tenant: TenantServer) -> None:
    """A server that cannot show to be the tenant is asked nothing."""
    given = settings(tenant) | {"AUTH0_CA_FILE": None}
    app = make(extensions=["web", Auth0Extension], **given)
    with pytest.raises(Unavailable):
        app.auth0.verify(tenant.token())
    assert tenant.asked == []


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_a_tenant_signs_by_one_algorithm(
    app: Service, tenant: TenantServer, algorithm: str
) -> None:
    """Keys of other kinds are no keys of access tokens, though logins elsewhere may have them."""
    public = private_key(algorithm).public_key()
    other = {**get_default_algorithms()[algorithm].to_jwk(public, as_dict=True), "kid": "other"}
    tenant.jwks = (200, as_json({"keys": [jwk(), other]}))
    header = as_json({"alg": algorithm, "kid": "other"})
    token = signed(algorithm, private_key(algorithm), header, as_json(tenant.claims()))
    with pytest.raises(TokenRefused, match="not allowed"):
        app.auth0.verify(token)
