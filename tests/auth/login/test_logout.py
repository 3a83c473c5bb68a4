"""The logout at an OpenID provider, with one that can be told to lie."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import TestResponse

from buttress import Service
from tests.auth.login.conftest import SITE, Browser, LoginService, fields
from tests.auth.login.fake_provider import CLIENT, ISSUER, SETTINGS, FakeProvider
from tests.auth.login.test_oidc import ADA, go

END = f"{ISSUER}/end?ui=dark"


@pytest.fixture
def app(login_service: LoginService) -> Service:
    """Give a service whose users log in at a provider."""
    return login_service(**SETTINGS)


def log_out(browser: Browser) -> TestResponse:
    """Press the button of the page."""
    return browser.post("/logout", fields(browser.open("/logout").text))


def target(page: str) -> str:
    """Give where a page leads on by itself, which its link says too."""
    refresh = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]+)">', page)
    assert refresh is not None
    assert f'href="{refresh[1]}"' in page
    return unescape(refresh[1])


def test_the_logout(browser: Browser, fake: FakeProvider) -> None:
    """The session ends here first, then the browser goes on, and nothing of the token with it."""
    fake.document["end_session_endpoint"] = END
    go(browser, fake)
    kept = browser.client.get_cookie("__Host-login")
    assert kept is not None
    answer = log_out(browser)
    assert answer.headers["Cache-Control"] == "no-store"
    browser.client.set_cookie("__Host-login", kept.value, secure=True)
    assert browser.known_as is None
    there = target(answer.text)
    asked = parse_qs(urlsplit(there).query)
    assert there.startswith(f"{END}&")
    assert {"ui": ["dark"], "client_id": [CLIENT]}.items() <= asked.items()
    assert asked["post_logout_redirect_uri"] == [f"{SITE}/logout"]
    assert set(asked) == {"ui", "client_id", "post_logout_redirect_uri", "state"}


def test_who_comes_back(app: Service, browser: Browser, fake: FakeProvider) -> None:
    """Who has logged out there too is told so once; another browser is not."""
    fake.document["end_session_endpoint"] = END
    go(browser, fake)
    state = parse_qs(urlsplit(target(log_out(browser).text)).query)["state"][0]
    other = Browser(app.test_client())
    for strange, given in ((other, state), (browser, "x"), (browser, "é"), (browser, "")):
        assert strange.open("/logout", query_string={"state": given}).location == "/login"
    answer = browser.open("/logout", query_string={"state": state})
    assert '<p role="status" id="problem">You have logged out.</p>' in answer.text
    assert browser.client.get_cookie("__Host-login-oidc") is None
    assert browser.open("/logout", query_string={"state": state}).location == "/login"


@pytest.mark.parametrize(
    ("document", "config"),
    [({}, {}), ({"end_session_endpoint": END}, {"AUTH_OIDC_LOGOUT": False})],
    ids=["the provider has none", "it is not wanted"],
)
def test_a_logout_of_this_service_alone(
    login_service: LoginService, fake: FakeProvider, document: Any, config: Any
) -> None:
    """Where there is no logout at the provider, the session here ends."""
    fake.document = document
    browser = Browser(login_service(**SETTINGS, **config).test_client())
    go(browser, fake)
    answer = log_out(browser)
    assert (answer.status_code, answer.location, browser.known_as) == (303, "/login", None)


def test_who_has_no_session(app: Service, browser: Browser, fake: FakeProvider) -> None:
    """A program with an API token of such a user is sent nowhere, and neither is nobody."""
    fake.document["end_session_endpoint"] = END
    go(browser, fake)
    user = app.auth.users.get(ADA)
    assert user is not None
    secret, _ = app.auth.issue_token(user, label="backup", days=1)
    other = Browser(app.test_client())
    assert other.post("/logout", {}, Authorization=f"Bearer {secret}").location == "/login"
    assert other.post("/logout", {}).location == "/login"


def test_who_came_by_a_password(browser: Browser, fake: FakeProvider) -> None:
    """Who did not come from the provider is not sent there."""
    fake.document["end_session_endpoint"] = END
    browser.log_in()
    assert log_out(browser).location == "/login"


def test_a_provider_that_is_down(
    app: Service, browser: Browser, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A logout here does not wait for a provider that was never heard of since the start."""
    go(browser, fake)
    fake.down = True
    monkeypatch.delitem(app.extensions["buttress"]["auth_login"].__dict__, "oidc")
    assert log_out(browser).location == "/login"
    assert browser.known_as is None


def test_a_forged_logout(browser: Browser, fake: FakeProvider) -> None:
    """Another site ends no session, and sends nobody to the provider."""
    fake.document["end_session_endpoint"] = END
    go(browser, fake)
    answer = browser.post("/logout", {}, Origin="https://evil.example")
    assert (answer.status_code, browser.known_as) == (403, ADA)
    assert ISSUER not in answer.text


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://login.example/end", 7])
def test_an_address_that_is_none(browser: Browser, fake: FakeProvider, url: object) -> None:
    """A provider that would have browsers go where nobody should is not believed at all."""
    fake.document["end_session_endpoint"] = url
    assert browser.open("/login/oidc").status_code == 503
