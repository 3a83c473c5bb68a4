"""Sessions of browsers, and requests that other pages forge."""

from __future__ import annotations

from secrets import token_urlsafe

import pytest
from flask import render_template_string, request
from flask.testing import FlaskClient

from buttress import Service, auth
from buttress.auth.authenticators.session import foreign
from buttress.auth.passwords import Passwords
from tests.services import Make

PASSWORD = "powder & sun"
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
FORGERIES = {
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "another host of the site": {"Sec-Fetch-Site": "same-site"},
    "another origin": {"Origin": "https://evil.example"},
    "no origin at all": {"Origin": "null"},
    "an origin that begins as ours": {"Origin": "http://localhost.evil.example"},
    "an old browser without a token": {},
    "a made-up token": {"X-CSRF-Token": "0" * 64},
    "an origin of ours, said to be foreign": {
        "Origin": "http://localhost",
        "Sec-Fetch-Site": "cross-site",
    },
}
FOREIGN = {"Sec-Fetch-Site": "same-site"}


@pytest.fixture
def app(make: Make, passwords: Passwords) -> Service:
    """Give a service with a login, a logout, and a route that changes something."""
    app = make(extensions=["log", "web", "auth"], AUTH_REMEMBER=0, SECRET_KEY=token_urlsafe(32))
    app.auth.passwords = passwords  # which cost nothing
    app.auth.users.create("ada", PASSWORD)

    @app.post("/login")
    def login() -> str:
        user = app.auth.check(request.form["name"], request.form["password"])
        if user is not None:
            app.auth.log_in(user)
        return "in" if user else "no"

    @app.post("/logout")
    def logout() -> str:
        app.auth.log_out()
        return "out"

    @app.route("/lift", methods=["GET", *UNSAFE])
    @auth.required
    def lift() -> str:
        return render_template_string("{{ who.id }} {{ csrf_token() }}", who=auth.principal)

    return app


@pytest.fixture
def client(app: Service) -> FlaskClient:
    """Give a browser in which ada has logged in."""
    client = app.test_client()
    log_in(client)
    return client


def log_in(client: FlaskClient, password: str = PASSWORD) -> str:
    """Log ada in."""
    data = {"name": "ada", "password": password}
    answer: str = client.post("/login", data=data, base_url="https://localhost").text
    return answer


def ask(client: FlaskClient, method: str = "GET", **headers: str) -> int:
    """Ask for the route of the session, and give the status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.open(
        "/lift", method=method, headers=named, base_url="https://localhost"
    ).status_code


def test_the_cookie(app: Service) -> None:
    """The cookie goes to this host by HTTPS alone, and no script reads it."""
    data = {"name": "ada", "password": PASSWORD}
    answer = app.test_client().post("/login", data=data, base_url="https://localhost")
    cookies = answer.headers.getlist("Set-Cookie")
    assert [it.partition("=")[0] for it in cookies] == ["__Host-login", "__Host-login-device"]
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


def test_after_the_login(client: FlaskClient) -> None:
    """Who has logged in is known."""
    assert ask(client) == 200


def test_a_wrong_password(app: Service) -> None:
    """A wrong password begins no session."""
    client = app.test_client()
    assert (log_in(client, "wrong"), ask(client)) == ("no", 401)


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_requests(client: FlaskClient, method: str, forgery: str) -> None:
    """A request that no page of ours has made changes nothing."""
    headers = {name.replace("-", "_"): it for name, it in FORGERIES[forgery].items()}
    assert ask(client, method, **headers) == 403


@pytest.mark.parametrize("method", UNSAFE)
def test_requests_of_our_own_pages(client: FlaskClient, method: str) -> None:
    """A page of this origin may: by what the browser says of it, or by the session's token."""
    assert ask(client, method, Sec_Fetch_Site="same-origin") == 200
    assert ask(client, method, Origin="https://localhost") == 200
    token = client.get("/lift", base_url="https://localhost").text.partition(" ")[2]
    assert ask(client, method, X_CSRF_Token=token) == 200


def test_the_token_in_a_form(client: FlaskClient) -> None:
    """A form carries the token in a field."""
    token = client.get("/lift", base_url="https://localhost").text.partition(" ")[2]
    data = {"csrf_token": token}
    assert client.post("/lift", data=data, base_url="https://localhost").status_code == 200


def test_the_logout_ends_the_session(client: FlaskClient) -> None:
    """After a logout the cookie is of no use, also where somebody kept it."""
    cookie = client.get_cookie("__Host-login")
    assert cookie is not None
    client.post("/logout", base_url="https://localhost")
    assert client.get_cookie("__Host-login") is None
    client.set_cookie("__Host-login", cookie.value, secure=True)
    assert ask(client) == 401


def test_a_new_login_ends_the_session_before(client: FlaskClient) -> None:
    """A session is not carried over into the next login."""
    cookie = client.get_cookie("__Host-login")
    assert cookie is not None
    log_in(client)
    other = client.application.test_client()
    other.set_cookie("__Host-login", cookie.value, secure=True)
    assert (ask(other), ask(client)) == (401, 200)


@pytest.mark.parametrize("forgery", [it for it in FORGERIES if it.startswith("an")])
def test_a_forged_login(app: Service, forgery: str) -> None:
    """A page of another site logs nobody in, so that nobody works in an attacker's account."""
    client = app.test_client()
    data = {"name": "ada", "password": PASSWORD}
    answer = client.post(
        "/login", data=data, headers=FORGERIES[forgery] or FOREIGN, base_url="https://localhost"
    )
    assert (answer.status_code, client.get_cookie("__Host-login")) == (403, None)


def test_a_forged_logout(client: FlaskClient) -> None:
    """A page of another site logs nobody out."""
    answer = client.post("/logout", headers=FOREIGN, base_url="https://localhost")
    assert (answer.status_code, ask(client)) == (403, 200)


@pytest.mark.parametrize(
    ("base", "origin"),
    [
        ("https://xn--pster-kva.example", "https://xn--pster-kva.example"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("https://localhost:443", "https://localhost"),
        ("http://localhost:80", "http://localhost"),
    ],
)
def test_our_own_origin(app: Service, base: str, origin: str) -> None:
    """The origin is compared as browsers write it: with its port only where it is unusual."""
    with app.test_request_context("/", base_url=base, headers={"Origin": origin}) as context:
        assert foreign(context.request) is None
    for other in (f"{origin}:1", f"{origin}.evil.example", origin.swapcase(), "null", ""):
        with app.test_request_context("/", base_url=base, headers={"Origin": other}) as context:
            assert foreign(context.request) is not None


def test_behind_a_proxy_that_is_not_declared(client: FlaskClient) -> None:
    """What a browser calls the same origin is that, also where a proxy has ended TLS."""
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "https://resort.example"}
    answer = client.post("/lift", headers=headers, base_url="https://localhost")
    assert answer.status_code == 200


def test_nothing_but_an_address(client: FlaskClient) -> None:
    """What somebody has typed changes nothing by itself: no browser sends POST so."""
    assert (ask(client, "POST", Sec_Fetch_Site="none"), ask(client, Sec_Fetch_Site="none")) == (
        403,
        200,
    )


def test_a_new_login_sends_each_cookie_once(client: FlaskClient) -> None:
    """The answer to a login sets each cookie once, and no cache keeps it."""
    data = {"name": "ada", "password": PASSWORD}
    answer = client.post("/login", data=data, base_url="https://localhost")
    names = [it.partition("=")[0] for it in answer.headers.getlist("Set-Cookie")]
    assert names == ["__Host-login", "__Host-login-device"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_in_development(make: Make) -> None:
    """By plain HTTP, as in development, every browser keeps the cookie; by HTTPS it stays there."""
    app = make(extensions=["log", "web", "auth"], MODE="development", ARGON2_MEMORY_COST=8)
    user = app.auth.users.create("ada", PASSWORD)
    app.get("/in")(lambda: app.auth.log_in(user) or "in")
    for base, secure in (("http://localhost", False), ("https://localhost", True)):
        cookies = app.test_client().get("/in", base_url=base).headers.getlist("Set-Cookie")
        assert [it.partition("=")[0] for it in cookies] == ["login", "login-device"]
        assert {"Secure" in it for it in cookies} == {secure}


def test_the_secret_of_a_session_is_no_token(client: FlaskClient) -> None:
    """The secret of a session is of use as a cookie only."""
    cookie = client.get_cookie("__Host-login")
    assert cookie is not None
    other = client.application.test_client()
    headers = {"Authorization": f"Bearer {cookie.value}"}
    assert other.get("/lift", headers=headers).status_code == 401


def test_an_old_cookie_on_an_open_page(app: Service) -> None:
    """A browser with an old cookie is nobody, and no error."""
    client = app.test_client()
    client.set_cookie("__Host-login", "bt_old", secure=True)
    answer = client.get("/__permissions__", base_url="https://localhost")
    assert (answer.status_code, answer.json["user_id"]) == (200, None)


def test_a_disabled_user(client: FlaskClient, app: Service) -> None:
    """The session of a user who is disabled ends."""
    app.auth.users.update("ada", active=False)
    assert ask(client) == 401


def test_a_device_that_is_known(app: Service) -> None:
    """After a login the browser has a budget of its own for wrong passwords."""
    client = app.test_client()
    log_in(client)
    for number in range(30):
        log_in_from = {"REMOTE_ADDR": f"198.51.{number}.1"}
        other = app.test_client()
        data = {"name": "ada", "password": "x"}
        other.post("/login", data=data, environ_overrides=log_in_from)
    assert log_in(client) == "in"
