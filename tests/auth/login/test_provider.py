"""The login by OpenID Connect, at a certified provider and in a browser."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
import trustme
from werkzeug.serving import make_server

from buttress import Service
from buttress.auth.login.identity import ROLE, name_of
from tests.auth.login.chromium import Chromium, chromium
from tests.auth.login.conftest import PASSWORD, SITE, Browser, LoginService, alarm
from tests.auth.login.test_logout import log_out, target
from tests.auth.login.test_target import redirects
from tests.servers import server_url
from tools.services.place import free_port


def registered(issuer: str, callback: str, **more: Any) -> dict[str, Any]:
    """Register a client at the provider, and give the settings for it."""
    answer = requests.post(f"{issuer}/reg", json={"redirect_uris": [callback], **more}, timeout=10)
    assert answer.status_code == 201, answer.text
    client = answer.json()
    return {
        "AUTH_OIDC_ISSUER": issuer,
        "AUTH_OIDC_CLIENT_ID": client["client_id"],
        "AUTH_OIDC_CLIENT_SECRET": client.get("client_secret"),
        "AUTH_OIDC_LABEL": "Piste",
    }


def log_in_there(url: str, name: str, session: requests.Session) -> str:
    """Log in at the provider and consent, as its pages ask; give where it leads back to."""
    page = session.get(url, timeout=10)
    for fields in ({"prompt": "login", "login": name, "password": "x"}, {"prompt": "consent"}):
        page = submit(page, fields, session)
    return page.headers["Location"]


def submit(
    page: requests.Response, fields: dict[str, str], session: requests.Session
) -> requests.Response:
    """Send the form of a page of the provider; give its next page, or what leads back to us."""
    form = re.search(r'<form[^>]* action="([^"]+)"', page.text)
    assert form is not None, page.text
    place = urljoin(page.url, form[1])
    answer = session.post(place, fields, timeout=10, allow_redirects=False)
    while answer.is_redirect and not answer.headers["Location"].startswith(SITE):
        place = urljoin(answer.url, answer.headers["Location"])
        answer = session.get(place, timeout=10, allow_redirects=False)
    return answer


@pytest.fixture
def there() -> Iterator[requests.Session]:
    """Give what the provider knows a browser by."""
    with requests.Session() as session:
        yield session


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"], ids=str)
def test_a_certified_provider(
    login_service: LoginService, there: requests.Session, method: str
) -> None:
    """A certified provider logs a user in, whose groups become roles."""
    issuer = server_url("oidc")
    settings = registered(issuer, f"{SITE}/login/oidc/callback", token_endpoint_auth_method=method)
    app = login_service(
        **settings,
        AUTH_OIDC_SCOPES=["openid", "email", "groups"],
        AUTH_OIDC_ROLES={"guides": ["guide"]},
    )
    browser = Browser(app.test_client())
    way = browser.open("/login/oidc", query_string={"next": "/pistes/7"}).location
    answer = browser.open(log_in_there(way, "guide-ada", there).removeprefix(SITE))
    assert answer.location == "/pistes/7"
    user = app.auth.users.get(str(browser.known_as))
    assert user is not None
    assert user.name == name_of(issuer, "guide-ada")
    assert (user.email, user.roles) == ("guide-ada@piste.test", {ROLE, "guide"})


def test_a_logout_at_a_certified_provider(
    login_service: LoginService, there: requests.Session
) -> None:
    """Who logs out here does so at a certified provider, comes back, and must log in anew."""
    settings = registered(
        server_url("oidc"),
        f"{SITE}/login/oidc/callback",
        post_logout_redirect_uris=[f"{SITE}/logout"],
    )
    browser = Browser(login_service(**settings).test_client())
    way = browser.open("/login/oidc").location
    browser.open(log_in_there(way, "ada", there).removeprefix(SITE))
    page = there.get(target(log_out(browser).text), timeout=10)
    xsrf = re.search(r'name="xsrf" value="(\w+)"', page.text)
    assert xsrf is not None, page.text
    back = submit(page, {"xsrf": xsrf[1], "logout": "yes"}, there).headers["Location"]
    assert "You have logged out." in browser.open(back.removeprefix(SITE)).text
    assert 'name="login"' in there.get(browser.open("/login/oidc").location, timeout=10).text


def test_an_address_of_ours_that_it_does_not_know(login_service: LoginService) -> None:
    """The provider sends nobody to an address that was not registered."""
    settings = registered(server_url("oidc"), f"{SITE}/login/oidc/callback")
    browser = Browser(login_service("/account", **settings).test_client())
    there = browser.open("/account/login/oidc").location
    answer = requests.get(there, timeout=10)
    assert answer.status_code == 400
    assert "redirect_uri" in answer.text


@contextmanager
def served(app: Service, port: int = 0) -> Iterator[str]:
    """Serve an application by HTTPS, and give where."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    server = make_server("127.0.0.1", port, app, threaded=True, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def log_in(page: Chromium, name: str, password: str) -> None:
    """Type name and password as somebody does who has no mouse; the first field has the focus."""
    page.type(name)
    page.press("Tab")
    page.type(password)
    page.submit()


@pytest.mark.timeout(180)
def test_in_a_browser(login_service: LoginService, tmp_path: Path) -> None:
    """A browser without JavaScript is sent to the login, mends a mistake, comes back, logs out."""
    with (
        chromium(tmp_path / "profile") as page,
        served(login_service()) as site,
    ):
        page.tell("Emulation.setScriptExecutionDisabled", value=True)
        page.open(f"{site}/pistes/7?snow=deep")
        assert page.url.startswith(f"{site}/login?next=")
        assert page.tell("Page.getLayoutMetrics")["cssContentSize"]["width"] <= 320
        log_in(page, "ada", "wrong")
        assert alarm(page.text) == "The name or the password is wrong."
        page.type(PASSWORD)  # the name is there still, and the password has the focus
        page.submit()
        assert page.url == f"{site}/pistes/7?snow=deep"
        assert "ada on 7" in page.text
        page.open(f"{site}/logout")
        page.focus("button")
        page.submit()
        page.open(f"{site}/pistes/7")
        assert page.url.startswith(f"{site}/login?next=")


@pytest.mark.timeout(180)
def test_no_redirect_leads_elsewhere_in_a_browser(
    login_service: LoginService, tmp_path: Path
) -> None:
    """A real browser takes every target that is let through for one of this site."""
    app = login_service()
    browser = Browser(app.test_client())
    browser.log_in()
    locations = sorted(
        {browser.open("/login", query_string={"next": text}).location for text in redirects()}
    )
    script = "{}.map(it => new URL(it, 'https://localhost/login').origin)"
    with chromium(tmp_path / "profile") as page:
        answer = page.tell(
            "Runtime.evaluate", expression=script.format(locations), returnByValue=True
        )
    assert len(locations) > 3
    assert set(answer["result"]["value"]) == {SITE}


@pytest.mark.timeout(180)
def test_a_certified_provider_in_a_browser(login_service: LoginService, tmp_path: Path) -> None:
    """A browser goes to the provider, comes back to the page it wanted, and logs out of both."""
    port = free_port()
    ours = f"https://localhost:{port}"
    settings = registered(
        server_url("oidc"),
        f"{ours}/login/oidc/callback",
        post_logout_redirect_uris=[f"{ours}/logout"],
    )
    app = login_service(**settings)
    with chromium(tmp_path / "profile") as page, served(app, port) as site:
        page.open(f"{site}/pistes/7")
        page.focus(".button")
        page.submit()
        page.focus("input[name=login]")
        log_in(page, "ada", "any")
        page.focus("button")
        page.submit()
        assert page.url == f"{site}/pistes/7"
        assert f"{name_of(settings['AUTH_OIDC_ISSUER'], 'ada')} on 7" in page.text
        page.open(f"{site}/logout")
        page.focus("button")
        page.submit()
        page.arrive(settings["AUTH_OIDC_ISSUER"])
        page.focus("button[name=logout]")
        page.submit()
        page.arrive(f"{site}/logout?state=")
        assert "You have logged out." in page.text
