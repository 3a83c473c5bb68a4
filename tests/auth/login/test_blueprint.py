"""The login pages, as a browser sees them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import closing
from html import unescape
from importlib import import_module
from pathlib import Path

import pytest
from flask import Blueprint, Flask, abort

from buttress import Service, create_app
from buttress.auth.login import blueprint
from buttress.errors import ExtensionError, Unavailable
from tests.auth.login.conftest import (
    NAVIGATION,
    PASSWORD,
    SITE,
    Browser,
    LoginService,
    alarm,
    fields,
)
from tests.services import Make

FORGERIES = {
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "another host of the site": {"Sec-Fetch-Site": "same-site"},
    "another origin": {"Origin": "https://evil.example"},
    "no origin": {"Origin": "null"},
    "an origin of ours, said to be foreign": {"Origin": SITE, "Sec-Fetch-Site": "cross-site"},
}


def test_the_login(browser: Browser) -> None:
    """A right password begins a session and leads to the page that was asked for."""
    answer = browser.log_in(next="/pistes/7?snow=deep&x=%2F")
    assert (answer.status_code, answer.location) == (303, "/pistes/7?snow=deep&x=%2F")
    assert browser.open(answer.location).text == "ada on 7"


def test_the_login_leads_home(browser: Browser, login_service: LoginService) -> None:
    """Without a page to go back to, a login leads to the home of the service."""
    assert browser.log_in().location == "/"
    other = Browser(login_service(AUTH_LOGIN_HOME="/start").test_client())
    assert other.log_in().location == "/start"


@pytest.mark.parametrize(
    ("name", "password"),
    [("ada", "Tr0ub4dor"), ("nobody", PASSWORD), ("", ""), ("ada", ""), ("ada\0", PASSWORD)],
)
def test_a_wrong_login(browser: Browser, name: str, password: str) -> None:
    """Whatever is wrong, the page says the same, and begins no session."""
    answer = browser.log_in(name, password, next="/pistes/7")
    assert (answer.status_code, alarm(answer.text)) == (
        422,
        "The name or the password is wrong.",
    )
    assert fields(answer.text)["next"] == "/pistes/7"
    assert browser.known_as is None
    assert password == "" or password not in answer.text


def test_a_wrong_login_can_be_mended(browser: Browser) -> None:
    """The page after a mistake is a form that works, with the name in it."""
    page = browser.log_in(password="wrong", next="/pistes/7").text
    assert 'value="ada"' in page
    data = {**fields(page), "name": "ada", "password": PASSWORD}
    assert browser.post("/login", data).location == "/pistes/7"


def test_a_name_is_only_text(browser: Browser) -> None:
    """A name with markup in it comes back as text."""
    page = browser.log_in('"><script>alert(1)</script>').text
    assert "<script" not in page
    assert 'value="&#34;&gt;&lt;script' in page


def test_too_many_attempts(browser: Browser) -> None:
    """After too many attempts the page says for how many seconds to wait."""
    for _ in range(5):
        browser.log_in(password="wrong")
    answer = browser.log_in()
    seconds = int(answer.headers["Retry-After"])
    assert (answer.status_code, browser.known_as) == (429, None)
    assert f"Try again in {seconds} second" in str(alarm(answer.text))


def test_users_that_cannot_be_asked(
    browser: Browser, app: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the users cannot be asked, the page says so and the status is 503."""

    def down(name: str, password: str) -> None:
        raise Unavailable("The database is down", retry_after=7)

    monkeypatch.setattr(app.auth.users, "authenticate", down)
    answer = browser.log_in()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert alarm(answer.text) == "Nobody can log in at the moment. Try again in 7 seconds."


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_login(browser: Browser, forgery: str) -> None:
    """No other site logs a browser in, not even with a token that it has found out."""
    answer = browser.log_in(**FORGERIES[forgery])
    assert (answer.status_code, browser.known_as) == (403, None)
    assert str(alarm(answer.text)).startswith("This page was out of date.")


@pytest.mark.parametrize("scheme", ["http", "https"], ids=str)
def test_a_login_by_plain_http(app: Service, caplog: pytest.LogCaptureFixture, scheme: str) -> None:
    """Browsers keep none of the cookies there, so the log says what may be wrong."""
    caplog.set_level("INFO", "buttress.auth")
    answer = app.test_client().post("/login", base_url=f"{scheme}://localhost")
    assert answer.status_code == 403
    assert ("plain HTTP" in caplog.text) is (scheme == "http")


def test_a_form_of_another_browser(app: Service, browser: Browser) -> None:
    """The form that one browser was given is of no use in another, nor without its cookie."""
    other = Browser(app.test_client())
    data = {**fields(other.open("/login").text), "name": "ada", "password": PASSWORD}
    assert browser.post("/login", data).status_code == 403
    browser.open("/login")
    assert browser.post("/login", data).status_code == 403
    assert other.post("/login", data).status_code == 303


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_made_up_token(browser: Browser, token: str) -> None:
    """A form needs the token of its browser, wherever it says that it comes from."""
    browser.open("/login")
    data = {"csrf_token": token, "name": "ada", "password": PASSWORD}
    answer = browser.post("/login", data, Origin=SITE, **{"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, browser.known_as) == (403, None)


def test_two_pages_at_once(browser: Browser) -> None:
    """Two open pages both work, and none is of use after a login."""
    first, second = (fields(browser.open("/login").text) for _ in range(2))
    data = {"name": "ada", "password": PASSWORD}
    assert browser.post("/login", {**first, **data, "password": "x"}).status_code == 422
    assert browser.post("/login", {**second, **data}).status_code == 303
    assert browser.post("/login", {**first, **data}).status_code == 403


def test_the_cookies(browser: Browser) -> None:
    """Every cookie goes to this host alone, by HTTPS, and no script reads it."""
    shown = browser.open("/login").headers.getlist("Set-Cookie")
    cookies = [*shown, *browser.log_in().headers.getlist("Set-Cookie")]
    assert {it.partition("=")[0] for it in cookies} == {
        *("__Host-login-form", "__Host-login", "__Host-login-device")
    }
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


def test_the_page_is_in_no_cache(browser: Browser) -> None:
    """The pages are in no cache, and their style has the nonce of the answer."""
    answer = browser.open("/login")
    nonce = re.search(r'<style nonce="([^"]+)"', answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    assert nonce is not None
    assert f"'nonce-{nonce[1]}'" in answer.headers["Content-Security-Policy"]
    assert "<script" not in answer.text


def test_who_is_known_goes_on(browser: Browser) -> None:
    """The login page leads on who has logged in already."""
    browser.log_in()
    answer = browser.open("/login", query_string={"next": "/pistes/7"})
    assert (answer.status_code, answer.location) == (302, "/pistes/7")


def test_the_logout(browser: Browser) -> None:
    """The button of the logout page revokes the session, also for who kept its cookie."""
    browser.log_in()
    kept = browser.client.get_cookie("__Host-login")
    assert kept is not None
    answer = browser.post("/logout", fields(browser.open("/logout").text))
    assert (answer.status_code, answer.location) == (303, "/login")
    assert browser.known_as is None
    browser.client.set_cookie("__Host-login", kept.value, secure=True)
    assert browser.known_as is None


@pytest.mark.parametrize("forgery", [*FORGERIES, "no token"])
def test_a_forged_logout(browser: Browser, forgery: str) -> None:
    """No other site logs anybody out, and a mere link does not either."""
    browser.log_in()
    assert browser.post("/logout", {}, **FORGERIES.get(forgery, {})).status_code == 403
    assert browser.open("/logout").status_code == 200
    assert browser.known_as == "ada"


def test_the_logout_of_nobody(browser: Browser) -> None:
    """Who is not known is led to the login."""
    assert browser.open("/logout").location == "/login"
    assert browser.post("/logout", {}).location == "/login"


def test_a_protected_page(browser: Browser) -> None:
    """A browser that opens a protected page is sent to the login, and comes back to it."""
    answer = browser.open("/pistes/grün %26 7?a=1&b=ö")
    assert answer.status_code == 302
    page = browser.open(answer.location).text
    data = {**fields(page), "name": "ada", "password": PASSWORD}
    assert browser.open(browser.post("/login", data).location).text == "ada on grün & 7"


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"Accept": "application/json"}),
        ("GET", {"Accept": "*/*"}),
        ("GET", {"Accept": ""}),
        ("GET", {"Sec-Fetch-Mode": "cors"}),
        ("GET", {"Authorization": "Bearer x"}),
        ("POST", {}),
        ("HEAD", {}),
    ],
    ids=["json", "anything", "nothing", "a script", "credentials", "a form", "head"],
)
def test_other_clients_get_401(browser: Browser, method: str, headers: dict[str, str]) -> None:
    """What is no page that somebody opens gets 401, as it would without login pages."""
    answer = browser.open("/pistes/7", method=method, headers=headers)
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers


def test_browsers_need_not_be_sent(login_service: LoginService) -> None:
    """``AUTH_LOGIN_REDIRECT=false`` leaves 401 to browsers too."""
    browser = Browser(login_service(AUTH_LOGIN_REDIRECT=False).test_client())
    assert browser.open("/pistes/7").status_code == 401


def test_other_errors_are_as_before(app: Service, browser: Browser) -> None:
    """The service's own handlers see every error that leads to no login."""
    seen = []

    @app.errorhandler(Exception)
    def handle(error: Exception) -> tuple[str, int]:
        seen.append(type(error).__name__)
        return "ours", 418

    assert browser.open("/pistes/7", headers={"Accept": "application/json"}).text == "ours"
    assert browser.open("/pistes/7").status_code == 302
    assert seen == ["Problem"]


def test_a_view_that_says_401_itself(app: Service, browser: Browser) -> None:
    """A page that refuses by itself sends nobody to the login who is known, in a circle."""
    app.add_url_rule("/closed", "closed", lambda: ("", 401))
    app.add_url_rule("/aborts", "aborts", lambda: abort(401))
    assert browser.open("/aborts").status_code == 302
    browser.log_in()
    assert browser.open("/aborts").status_code == 401
    assert browser.open("/closed").status_code == 401


def test_below_a_prefix(login_service: LoginService) -> None:
    """The pages stand below any prefix, and find each other there."""
    browser = Browser(login_service("/account").test_client())
    answer = browser.open("/pistes/7")
    assert answer.location == "/account/login?next=/pistes/7"
    page = browser.open(answer.location).text
    assert 'action="/account/login"' in page
    data = {**fields(page), "name": "ada", "password": PASSWORD}
    assert browser.post("/account/login", data).location == "/pistes/7"
    browser.post("/account/logout", {}, Origin=SITE)
    assert browser.known_as is None


def test_as_documented(package: Callable[[Mapping[str, str]], Path]) -> None:
    """The example of the documentation works as a module of a service."""
    text = Path(__file__).parents[3].joinpath("docs/auth-login.md").read_text()
    example = text.partition("```python\n")[2].partition("```")[0]
    settings = 'MODE = "testing"'
    package({"piste/__init__.py": "", "piste/settings.py": settings, "piste/main.py": example})
    with closing(import_module("piste.main").app) as app:
        answer = Browser(app.test_client()).open("/pistes")
        assert answer.location == "/account/login?next=/pistes"


def test_where_discovery_finds_it(package: Callable[[Mapping[str, str]], Path]) -> None:
    """A module that only imports the pages has them mounted."""
    package(
        {"piste/__init__.py": "", "piste/doors.py": "from buttress.auth.login import blueprint"}
    )
    app = create_app("piste", extensions=["log", "web", "auth"], config={"MODE": "testing"})
    with closing(app):
        assert Browser(app.test_client()).open("/login").status_code == 200


def test_inside_another_blueprint(make: Make) -> None:
    """The pages may stand in a blueprint of the service's, under another name."""
    app = make(extensions=["log", "web", "auth"])
    outer = Blueprint("account", "account", url_prefix="/account")
    outer.register_blueprint(blueprint, name="door")
    app.register_blueprint(outer)
    assert 'action="/account/login"' in Browser(app.test_client()).open("/account/login").text


def test_the_service_has_its_own_page(app: Service, browser: Browser) -> None:
    """A template of the service's own takes the place of ours."""
    folder = Path(app.root_path, "templates", "login")
    folder.mkdir(parents=True)
    folder.joinpath("login.html").write_text(
        '{% extends "login/frame.html" %}{% block main %}{{ login.title }}: {{ problem }}'
        '<input type="hidden" name="csrf_token" value="{{ csrf_token }}">{% endblock %}'
    )
    answer = browser.log_in(password="wrong")
    assert "shop: wrong" in answer.text


def test_the_title_is_the_realm(login_service: LoginService) -> None:
    """The page says what somebody logs in to."""
    page = Browser(login_service(AUTH_REALM="Piste").test_client()).open("/login").text
    assert "<small>to Piste</small>" in unescape(page)


def test_every_field_has_a_label(browser: Browser) -> None:
    """Fields have labels and say what they are for to password managers."""
    page = browser.open("/login").text
    inputs = re.findall(r'<input id="(\w+)"[^>]* autocomplete="([\w-]+)"', page)
    assert inputs == [("name", "username"), ("password", "current-password")]
    assert re.findall(r'<label for="(\w+)">', page) == ["name", "password"]


@pytest.mark.parametrize(
    ("extensions", "config", "sentence"),
    [
        (["log"], {}, "no extension 'auth'"),
        (["log", "auth"], {"AUTH_AUTHENTICATORS": ["bearer"]}, "add 'session'"),
        (
            ["log", "auth"],
            {
                "AUTH_USERS": "ldap://127.0.0.1/dc=a",
                "AUTH_OIDC_ISSUER": "https://a.example",
                "AUTH_OIDC_CLIENT_ID": "x",
            },
            "has its own",
        ),
    ],
    ids=["no identity", "no sessions", "a directory and OpenID Connect"],
)
def test_a_service_that_cannot_use_it(
    make: Make, extensions: list[str], config: dict[str, object], sentence: str
) -> None:
    """What would make every login useless is told when the pages are mounted."""
    app = make(extensions=extensions, **config)
    with pytest.raises(ExtensionError, match=sentence):
        app.register_blueprint(blueprint)


def test_a_plain_flask_application() -> None:
    """An application that is no service is told what it lacks."""
    with pytest.raises(ExtensionError, match="no extension 'auth'"):
        Flask("shop").register_blueprint(blueprint)


def test_a_closed_service(login_service: LoginService) -> None:
    """Where every route is closed, the login is open."""
    browser = Browser(login_service(AUTH_DEFAULT="required").test_client())
    assert browser.client.get("/login", base_url=SITE, headers=NAVIGATION).status_code == 200
    assert browser.log_in(next="/pistes/7").location == "/pistes/7"
