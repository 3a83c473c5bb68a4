"""No hostile token is accepted by a service of a tenant, and none makes an error."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from buttress import Service
from tests.auth0.conftest import AUDIENCE, CLIENT, TenantServer
from tests.jwt.conftest import private_key
from tests.jwt.hostile import Target, hostile
from tests.jwt.test_hostile import ask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

#: What only the extension ``jwt`` wants, or does not: a tenant names several audiences.
NOT_OURS = (
    *("types: type ", "claims: jti", "claims: sid", "times: fresh"),
    f"parties: aud ['{AUDIENCE}'",
)
PATHS = ("/required", "/accepted")


def aim_at(tenant: TenantServer, kid: str = "key-0", number: int = 0) -> Target:
    """Give what the battery needs to spoil the tokens of a tenant."""

    class Aim(Target):
        @property
        def claims(self) -> dict[str, Any]:
            """Give the claims of a good token."""
            now = int(time.time())
            return tenant.claims(type="access", jti="j", fresh=True, nbf=now, auth_time=now)

    return Aim("RS256", private_key("RS256", number), kid, "access")


def status(app: Service, path: str, token: str) -> int:
    """Send a token as it is."""

    def at(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        return app({**environ, "PATH_INFO": path}, start)

    return ask(at, "headers", token)[0]


@pytest.mark.parametrize("path", PATHS)
def test_no_hostile_token_is_accepted(app: Service, tenant: TenantServer, path: str) -> None:
    """Of the battery of the extension ``jwt`` none is taken, and the tenant is asked once."""
    aim = aim_at(tenant)
    assert status(app, path, aim.token()) == 200
    answers = {
        what: status(app, path, token)
        for what, token in hostile(aim)
        if not what.startswith(NOT_OURS)
    }
    assert len(answers) > 300
    assert {what: it for what, it in answers.items() if it != 401} == {}
    assert tenant.asked == ["/.well-known/jwks.json"]


def wrong(tenant: TenantServer) -> dict[str, dict[str, object]]:
    """Give claims of the tenant that are not for this service."""
    issuer = tenant.issuer
    return {
        "no audience": {"aud": ...},
        "no audiences": {"aud": []},
        "the client": {"aud": CLIENT},
        "the client too": {"aud": [AUDIENCE, CLIENT]},
        "userinfo alone": {"aud": f"{issuer}userinfo"},
        "part of the audience": {"aud": AUDIENCE[:-1]},
        "audiences in a list": {"aud": [[AUDIENCE]]},
        "an odd audience too": {"aud": [AUDIENCE, None]},
        "an object": {"aud": {AUDIENCE: 1}},
        "no issuer": {"iss": ...},
        "another tenant": {"iss": "https://evil.eu.auth0.com/"},
        "no slash": {"iss": issuer[:-1]},
        "by HTTP": {"iss": issuer.replace("https", "http")},
        "issuers": {"iss": [issuer]},
        "an ID token": {"aud": CLIENT, "nonce": "n", "email_verified": True},
        "a nonce": {"nonce": "n"},
        "a hash of a token": {"at_hash": "x"},
        "an address": {"email": "ann@shop.example"},
        "an address that is not verified": {"email": "a@b.example", "email_verified": False},
        "an address said to be verified": {"email": "a@b.example", "email_verified": "true"},
        "no subject": {"sub": ...},
        "not yet": {"nbf": int(time.time()) + 60},
    }


@pytest.mark.parametrize("path", PATHS)
def test_claims_that_are_not_for_us(app: Service, tenant: TenantServer, path: str) -> None:
    """A token that the tenant signed for others, or for another purpose, is refused."""
    client = app.test_client()
    codes = {
        what: client.get(path, headers=[("Authorization", f"Bearer {tenant.token(**said)}")]).json
        for what, said in wrong(tenant).items()
    }
    assert {what for what, said in codes.items() if said["code"] != "invalid_claims"} == set()


@pytest.mark.parametrize(
    "kid",
    ["../../../dev/null", "https://evil.example/jwks.json", "' OR 1=1 --", "key-0\x00", "KEY-0"],
)
@pytest.mark.parametrize("claimed", [True, False])
def test_key_ids_lead_nowhere(app: Service, tenant: TenantServer, kid: str, claimed: bool) -> None:
    """A key that the tenant does not publish is looked for nowhere else."""
    aim = aim_at(tenant, kid, 0 if claimed else 9)
    assert status(app, "/required", aim.token()) == 401
    assert set(tenant.asked) == {"/.well-known/jwks.json"}


def test_a_type_of_rfc_9068(app: Service, tenant: TenantServer) -> None:
    """Tokens of both profiles of the tenant are taken."""
    assert status(app, "/required", tenant.token(typ="at+jwt", aud=AUDIENCE)) == 200
