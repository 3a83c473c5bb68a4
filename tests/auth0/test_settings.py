"""Settings of the extension ``auth0``."""

from __future__ import annotations

import pytest

from buttress.auth0 import Auth0Extension
from buttress.errors import ConfigError
from tests.auth0.conftest import AUDIENCE, REDIRECT, SECRET_KEY
from tests.services import Make

GOOD = {
    "AUTH_DOMAIN": "shop.eu.auth0.com",
    "AUTH_AUDIENCE": AUDIENCE,
    "AUTH_CLIENT_ID": "client",
    "AUTH_CLIENT_SECRET": "nobody knows",
    "AUTH_REDIRECT_URI": REDIRECT,
    "SECRET_KEY": SECRET_KEY,
}
WRONG = {
    "an address": ({"AUTH_DOMAIN": "https://shop.eu.auth0.com"}, "AUTH_DOMAIN=.*is no domain"),
    "a path": ({"AUTH_DOMAIN": "shop.eu.auth0.com/x"}, "AUTH_DOMAIN=.*is no domain"),
    "a user": ({"AUTH_DOMAIN": "shop@evil.example"}, "AUTH_DOMAIN=.*is no domain"),
    "capitals": ({"AUTH_DOMAIN": "Shop.eu.auth0.com"}, "AUTH_DOMAIN=.*is no domain"),
    "no domain": ({"AUTH_DOMAIN": None}, "AUTH_DOMAIN"),
    "no audience": ({"AUTH_AUDIENCE": None}, "AUTH_AUDIENCE"),
    "an empty audience": ({"AUTH_AUDIENCE": ""}, "AUTH_AUDIENCE is empty"),
    "the client as audience": ({"AUTH_AUDIENCE": "client"}, "an ID token would pass"),
    "no client": ({"AUTH_CLIENT_ID": None}, "belong together"),
    "no secret": ({"AUTH_CLIENT_SECRET": None}, "belong together"),
    "no page": ({"AUTH_REDIRECT_URI": None}, "belong together"),
    "a page by HTTP": ({"AUTH_REDIRECT_URI": "http://shop.example/"}, "AUTH_REDIRECT_URI must"),
    "no file": ({"AUTH0_CA_FILE": "nowhere.pem"}, "AUTH0_CA_FILE: there is no file"),
    "no key": ({"SECRET_KEY": None}, "SECRET_KEY is missing"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_stops_the_boot(make: Make, name: str) -> None:
    """A setting that is missing or makes no sense is named."""
    changed, told = WRONG[name]
    given = {key: it for key, it in (GOOD | changed).items() if it is not None}
    with pytest.raises(ConfigError, match=told):
        make(extensions=[Auth0Extension], **given)


@pytest.mark.parametrize("uri", ["http://localhost:3000/x", "http://127.0.0.1/", REDIRECT])
def test_pages_of_a_login(make: Make, uri: str) -> None:
    """A page is reached by HTTPS, or is on this machine."""
    app = make(extensions=[Auth0Extension], **GOOD | {"AUTH_REDIRECT_URI": uri})
    assert app.settings.auth0.redirect_uri == uri


def test_the_keys_are_those_of_backend_common(make: Make) -> None:
    """They begin with AUTH, also where the extension ``auth`` is there, which owns the others."""
    app = make(extensions=["auth", Auth0Extension], AUTH_REALM="Shop", **GOOD)
    assert app.config["AUTH_DOMAIN"] == "shop.eu.auth0.com"
    assert (app.auth0.realm, app.settings.auth0.audience) == ("Shop", AUDIENCE)
    assert "nobody knows" not in repr(app.settings)


def test_a_service_where_nobody_logs_in(make: Make) -> None:
    """A domain and an audience are enough to take tokens."""
    app = make(extensions=[Auth0Extension], AUTH_DOMAIN="a.example", AUTH_AUDIENCE=AUDIENCE)
    assert app.settings.auth0.issuer == "https://a.example/"
