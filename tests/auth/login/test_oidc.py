"""The login by OpenID Connect, with a provider that can be told to lie."""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from joserfc.jwk import ECKey, RSAKey
from werkzeug.test import TestResponse

from buttress import Service
from buttress.auth.login.blueprint import blueprint
from buttress.auth.login.identity import name_of
from buttress.auth.login.target import LONGEST
from buttress.errors import ConfigError, ExtensionError, Unavailable
from tests.auth.login.conftest import SITE, Browser, LoginService, alarm
from tests.auth.login.fake_provider import CLIENT, ISSUER, SECRET, SETTINGS, FakeProvider
from tests.services import Make

ADA = name_of(ISSUER, "ada")
FAILED = "The login at login.example did not succeed. Please begin again."


@pytest.fixture
def app(login_service: LoginService) -> Service:
    """Give a service whose users log in there."""
    return login_service(**SETTINGS)


def begin(browser: Browser, next: str = "/pistes/7") -> str:
    """Follow the link to the provider, and give its address."""
    answer = browser.open("/login/oidc", query_string={"next": next})
    assert answer.status_code == 302
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.location


def come_back(browser: Browser, **given: Any) -> TestResponse:
    """Come back from the provider with these parameters."""
    return browser.open("/login/oidc/callback", query_string=given)


def go(browser: Browser, fake: FakeProvider, **changes: str) -> TestResponse:
    """Log in there, and come back."""
    return come_back(browser, **{**fake.authorize(begin(browser)), **changes})


def expect_refusal(browser: Browser, answer: TestResponse, text: str = FAILED) -> None:
    """Expect a page that says so, and nobody logged in."""
    assert (answer.status_code, alarm(answer.text)) == (403, text)
    assert browser.known_as is None


def test_the_login(browser: Browser, fake: FakeProvider) -> None:
    """Who is known to the provider is logged in, and comes back to where they were."""
    page = browser.open("/login", query_string={"next": "/pistes/7"}).text
    assert 'href="/login/oidc?next=/pistes/7">Log in with login.example' in page
    answer = go(browser, fake)
    assert (answer.status_code, answer.location) == (303, "/pistes/7")
    assert browser.open(answer.location).text == f"{ADA} on 7"


def test_what_the_provider_is_asked(browser: Browser, fake: FakeProvider) -> None:
    """The request has PKCE by S256, new state and nonce each time, and one way back."""
    first, second = (parse_qs(urlsplit(begin(browser)).query) for _ in range(2))
    assert {name: first[name] for name in ("client_id", "redirect_uri", "scope")} == {
        "client_id": [CLIENT],
        "redirect_uri": [f"{SITE}/login/oidc/callback"],
        "scope": ["openid email"],
    }
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) == 43
        assert len({first[name][0], second[name][0], first["state"][0]}) == (3 - (name == "state"))
    assert first["code_challenge_method"] == ["S256"]


def test_the_cookie_of_the_journey(browser: Browser, fake: FakeProvider) -> None:
    """What binds the journey is a cookie for this host alone, which goes when it ends."""
    answer = browser.open("/login/oidc")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-login-oidc=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    come_back(browser, **fake.authorize(answer.location))
    assert browser.client.get_cookie("__Host-login-oidc") is None
    assert browser.client.get_cookie("__Host-login") is not None


@pytest.mark.parametrize("cookie", ["", "x", "x" * 43, "x" * 43 + ".é", "x" * 43 + "._w=="])
def test_a_cookie_that_is_none(browser: Browser, fake: FakeProvider, cookie: str) -> None:
    """A cookie that we have not made begins no journey."""
    given = fake.authorize(begin(browser))
    browser.client.set_cookie("__Host-login-oidc", cookie, secure=True)
    expect_refusal(browser, come_back(browser, **given))


def test_a_long_way_back(browser: Browser, fake: FakeProvider) -> None:
    """The longest path that is taken fits into the cookie, whatever it is made of."""
    target = "/" + ";" * (LONGEST - 1)
    assert come_back(browser, **fake.authorize(begin(browser, target))).location == target


def test_the_way_back_is_for_one_browser(
    app: Service, browser: Browser, fake: FakeProvider
) -> None:
    """Nobody is logged in by an answer that another browser has asked for."""
    given = fake.authorize(begin(browser))
    victim = Browser(app.test_client())
    expect_refusal(victim, come_back(victim, **given), FAILED)
    begin(victim)
    expect_refusal(victim, come_back(victim, **given), FAILED)


def test_an_answer_works_once(browser: Browser, fake: FakeProvider) -> None:
    """The same answer is of no use a second time."""
    given = fake.authorize(begin(browser))
    assert come_back(browser, **given).status_code == 303
    browser.post("/logout", {}, Origin=SITE)
    expect_refusal(browser, come_back(browser, **given))


@pytest.mark.parametrize(
    "changes",
    [
        {"state": ""},
        {"state": "x" * 43},
        {"state": "é"},
        {"iss": "https://other.example"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"code": None},
        {"code": ""},
        {"code": "stolen"},
        {"code": ["code-0", "code-0"]},
        {"error": "server_error"},
    ],
    ids=str,
)
def test_a_bad_answer(browser: Browser, fake: FakeProvider, changes: dict[str, Any]) -> None:
    """An answer that is not to this question, or from another provider, logs nobody in."""
    expect_refusal(browser, go(browser, fake, **changes))


def test_a_provider_that_does_not_name_itself(browser: Browser, fake: FakeProvider) -> None:
    """Only a provider that says that it does so must name itself in its answers."""
    fake.document["authorization_response_iss_parameter_supported"] = False
    given = fake.authorize(begin(browser))
    expect_refusal(browser, come_back(browser, **{**given, "iss": "https://other.example"}))
    given = fake.authorize(begin(browser))
    del given["iss"]
    assert come_back(browser, **given).status_code == 303


def test_a_login_that_is_cancelled(browser: Browser, fake: FakeProvider) -> None:
    """Who changes their mind at the provider is told so, and may try again."""
    state = fake.authorize(begin(browser))["state"]
    answer = come_back(browser, state=state, iss=ISSUER, error="access_denied")
    expect_refusal(browser, answer, "The login at login.example was cancelled.")
    assert 'href="/login/oidc?next=/pistes/7"' in answer.text


NOW = int(time.time())
LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://other.example"},
    "an issuer with a slash": {"iss": ISSUER + "/"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "other"},
    "an audience that begins as ours": {"aud": CLIENT + "s"},
    "no audience": {"aud": None},
    "an empty audience": {"aud": []},
    "several audiences": {"aud": [CLIENT, "other"]},
    "several audiences, issued to another": {"aud": [CLIENT, "other"], "azp": "other"},
    "issued to another": {"azp": "other"},
    "another nonce": {"nonce": "x" * 43},
    "no nonce": {"nonce": None},
    "a nonce that is half a letter": {"nonce": "\ud800"},
    "a nonce that is a number": {"nonce": 7},
    "expired": {"exp": NOW - 60},
    "expired for ever": {"exp": -(10**400)},
    "no end": {"exp": None},
    "an end in words": {"exp": "tomorrow"},
    "an end that is true": {"exp": True},
    "issued in the future": {"iat": NOW + 3600},
    "not issued": {"iat": None},
    "issued at true": {"iat": True},
    "not yet valid": {"nbf": NOW + 3600},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject that is a number": {"sub": 7},
    "a long subject": {"sub": "x" * 256},
    "a long token": {"picture": "x" * 20_000},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_lies(browser: Browser, fake: FakeProvider, lie: str) -> None:
    """An ID token that is not for us, for this login, and for now, logs nobody in."""
    fake.claims, fake.document["userinfo_endpoint"] = LIES[lie], None
    expect_refusal(browser, go(browser, fake))


def test_a_token_of_another_kind(browser: Browser, fake: FakeProvider) -> None:
    """What the provider signs for other purposes tells of no login."""
    kinds = {"logout+jwt": 403, "at+jwt": 403, "": 403, "JWT": 303, "jwt": 303}
    for typ, status in kinds.items():
        fake.header = {"typ": typ}
        assert go(browser, fake).status_code == status


def test_several_audiences(browser: Browser, fake: FakeProvider) -> None:
    """A token for several that was issued to us is one for us."""
    fake.claims = {"aud": ["other", CLIENT], "azp": CLIENT}
    assert go(browser, fake).status_code == 303


@pytest.mark.parametrize(("groups", "status"), [(250, 303), (400, 403)])
def test_many_groups(browser: Browser, fake: FakeProvider, groups: int, status: int) -> None:
    """A token may list the groups of a user, some hundreds of them."""
    fake.claims = {"groups": [f"{number:036}" for number in range(groups)]}
    assert go(browser, fake).status_code == status


@pytest.mark.parametrize(("seconds", "status"), [(-25, 303), (-35, 403)])
def test_clocks_differ(browser: Browser, fake: FakeProvider, seconds: int, status: int) -> None:
    """A token that has just expired is taken, as one from a clock that is a little ahead."""
    now = time.time()
    fake.claims = {"exp": int(now + seconds), "iat": int(now - seconds)}
    assert go(browser, fake).status_code == status


@pytest.mark.parametrize("kid", ["one", "two", None])
def test_a_signature_of_somebody_else(
    browser: Browser, fake: FakeProvider, kid: str | None
) -> None:
    """A key that is not the provider's signs for nobody, whatever its name."""
    fake.signer = ECKey.generate_key("P-256")
    fake.header = {"kid": kid, "jwk": fake.signer.as_dict(private=False)}
    expect_refusal(browser, go(browser, fake))


def test_an_algorithm_that_the_provider_does_not_use(browser: Browser, fake: FakeProvider) -> None:
    """A key of the provider's that it does not say to sign ID tokens by signs none."""
    fake.keys.append(RSAKey.generate_key(2048, {"kid": "two"}))
    fake.signer, fake.header = fake.keys[1], {"alg": "RS256"}
    expect_refusal(browser, go(browser, fake))


def test_a_secret_is_no_signature(browser: Browser, fake: FakeProvider) -> None:
    """Neither our secret nor the public key, taken for one, signs a token."""
    public = fake.keys[0]
    for secret in (SECRET.encode(), public.as_pem(private=False), public.as_der(private=False)):
        url = begin(browser)
        fake.token = fake.signed_with(secret, dict(parse_qsl(urlsplit(url).query)))
        expect_refusal(browser, come_back(browser, **fake.authorize(url)))


def test_what_is_no_token(browser: Browser, fake: FakeProvider) -> None:
    """What is no signed token is refused, whatever it is."""
    none = urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    for odd in ("", "a.b", "a.b.c", f"{none}.e30.", f"{none}.e30", "x" * 20_000, "é.é.é"):
        fake.token = odd
        expect_refusal(browser, go(browser, fake))


def test_keys_that_are_changed(
    browser: Browser, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new key is fetched when it is first seen; the keys are not asked for at each login."""
    fake.document["id_token_signing_alg_values_supported"] = ["ES256", "RS256"]
    monkeypatch.setattr("buttress.oidc.kept.PAUSE", 0.0)
    go(browser, fake)
    browser.post("/logout", {}, Origin=SITE)
    go(browser, fake)
    assert fake.asked.count("/jwks") == 1
    browser.post("/logout", {}, Origin=SITE)
    fake.keys = [RSAKey.generate_key(2048, {"kid": "two"})]
    fake.header = {"alg": "RS256"}
    assert go(browser, fake).status_code == 303
    assert fake.asked.count("/jwks") == 2


def test_an_unknown_key_again(browser: Browser, fake: FakeProvider) -> None:
    """Tokens with keys that there are not do not make us ask each time."""
    go(browser, fake)
    browser.post("/logout", {}, Origin=SITE)
    fake.header = {"kid": "nowhere"}
    for _ in range(3):
        expect_refusal(browser, go(browser, fake))
    assert fake.asked.count("/jwks") == 1


def expect_down(answer: TestResponse) -> None:
    """Expect a page that says that the provider is down."""
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert str(alarm(answer.text)).startswith("login.example does not answer at the moment.")


def test_a_provider_that_is_down(browser: Browser, fake: FakeProvider) -> None:
    """While the provider is down the page says so, and passwords work."""
    fake.down = True
    expect_down(browser.open("/login/oidc"))
    assert browser.log_in().status_code == 303


def test_a_provider_that_goes_down(browser: Browser, fake: FakeProvider) -> None:
    """Who comes back when it is down is told so, and not that the login is wrong."""
    given = fake.authorize(begin(browser))
    fake.down = True
    expect_down(come_back(browser, **given))


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks", "/token", "/me"])
@pytest.mark.parametrize(
    "answer",
    [(500, b"{}"), (200, b""), (200, b"[]"), (200, b"{"), (200, b"7"), (302, b"{}")],
    ids=str,
)
def test_a_provider_that_is_not_well(
    browser: Browser, fake: FakeProvider, path: str, answer: tuple[int, bytes]
) -> None:
    """Whatever a broken provider answers, and wherever, the page says that it is down."""
    fake.answers[path] = answer
    shown = browser.open("/login/oidc", query_string={"next": "/"})
    if shown.status_code == 302:
        shown = come_back(browser, **fake.authorize(shown.location))
    expect_down(shown)
    assert "/elsewhere" not in fake.asked


def test_a_provider_that_keeps_people_waiting(
    browser: Browser, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After one has waited for it in vain the others are told at once, for some seconds."""
    monkeypatch.setattr("buttress.oidc.server.WAITED", 0.0)
    given = fake.authorize(begin(browser))
    fake.down = True
    expect_down(come_back(browser, **given))
    fake.down = False
    expect_down(go(browser, fake))
    assert "/token" not in fake.asked


def test_tokens_that_are_too_deep(browser: Browser, fake: FakeProvider) -> None:
    """An answer that would be nested without end is none."""
    fake.answers["/token"] = (200, b'{"a":' + b"[" * 30_000)
    expect_down(go(browser, fake))


def test_a_provider_that_does_not_serve_us(
    browser: Browser, fake: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that the provider does not know is our mistake, and not that of who logs in."""
    fake.answers["/token"] = (401, b'{"error": []}')
    expect_refusal(browser, go(browser, fake))
    fake.answers["/token"] = (401, b'{"error": "invalid_client"}')
    expect_down(go(browser, fake))
    assert "it does not serve this client: 'invalid_client'" in caplog.text


def test_users_that_cannot_be_asked(
    app: Service, browser: Browser, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While our own users cannot be asked, the page does not blame the provider."""

    def down(name: str) -> None:
        raise Unavailable("The database is down")

    given = fake.authorize(begin(browser))
    with monkeypatch.context() as patch:
        patch.setattr(app.auth.users._users, "get", down)  # type: ignore[attr-defined]  # behind the watch
        answer = come_back(browser, **given)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert str(alarm(answer.text)).startswith("Nobody can log in at the moment.")


def test_a_provider_that_breaks_off(browser: Browser, fake: FakeProvider) -> None:
    """An answer that ends before its end is none."""
    fake.breaks_off = True
    expect_down(browser.open("/login/oidc"))


def test_a_provider_that_talks_for_ever(
    browser: Browser, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an answer that is too long no more is read."""
    monkeypatch.setattr("buttress.oidc.server.LONGEST", 100)
    expect_down(browser.open("/login/oidc"))


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://other.example"},
        {"issuer": ISSUER + "/"},
        {"token_endpoint": "http://login.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
    ],
    ids=str,
)
def test_a_provider_that_is_another(
    browser: Browser, fake: FakeProvider, document: dict[str, Any]
) -> None:
    """A document of another issuer, or one that names addresses in the clear, is not believed."""
    fake.document = document
    expect_down(browser.open("/login/oidc"))


@pytest.mark.parametrize(
    ("document", "secret"),
    [
        ({}, SECRET),
        ({"token_endpoint_auth_methods_supported": ["client_secret_post"]}, SECRET),
        ({}, None),
    ],
    ids=["in a header", "in the body", "a public client"],
)
def test_how_the_client_says_who_it_is(
    login_service: LoginService, fake: FakeProvider, document: dict[str, Any], secret: str | None
) -> None:
    """A secret of any letters arrives as the provider wants it, or none where there is none."""
    app = login_service(**{**SETTINGS, "AUTH_OIDC_CLIENT_SECRET": secret})
    fake.document = document
    assert go(Browser(app.test_client()), fake).status_code == 303


def test_no_provider(login_service: LoginService) -> None:
    """Without a provider there is no link to one, and no way there."""
    browser = Browser(login_service(AUTH_OIDC_LABEL="Piste").test_client())
    assert "/login/oidc" not in browser.open("/login").text
    assert browser.open("/login/oidc").status_code == 404
    assert browser.open("/login/oidc/callback").status_code == 404


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"AUTH_OIDC_ISSUER": "http://login.example"}, "is no issuer"),
        ({"AUTH_OIDC_ISSUER": "login.example"}, "is no issuer"),
        ({"AUTH_OIDC_ISSUER": "https://login.example?x"}, "is no issuer"),
        ({"AUTH_OIDC_ISSUER": "https://[login"}, "is no issuer"),
        ({"AUTH_OIDC_CLIENT_ID": ""}, "AUTH_OIDC_CLIENT_ID is missing"),
        ({"AUTH_OIDC_CA_FILE": "/nowhere.pem"}, "there is no file"),
        ({"AUTH_OIDC_SCOPES": ["email"]}, "lacks 'openid'"),
        ({"AUTH_OIDC_SCOPES": ["openid", "a b"]}, "is no scope"),
        ({"AUTH_LOGIN_HOME": "//evil.example"}, "is no path of this site"),
    ],
)
def test_settings_that_are_wrong(make: Make, changes: dict[str, Any], sentence: str) -> None:
    """What no login could work with is told at the boot."""
    with pytest.raises(ConfigError, match=sentence):
        make(extensions=["log", "auth"], **{**SETTINGS, **changes})


def test_a_missing_package(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Authlib the message names what to install."""
    app = make(extensions=["log", "auth"], **SETTINGS)

    def missing(name: str) -> None:
        raise ModuleNotFoundError("No module named 'authlib'", name="authlib")

    monkeypatch.setattr("buttress.auth.login.login.import_module", missing)
    with pytest.raises(ExtensionError, match=r"'authlib': pip install 'buttress\[oidc\]'"):
        app.register_blueprint(blueprint)
