"""The extension ``jwt``: sessions, their renewal and their end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Response, abort, current_app, jsonify, request
from flask.testing import FlaskClient
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    get_jwt,
    get_jwt_identity,
    unset_jwt_cookies,
)
from werkzeug.test import TestResponse

from buttress import Service, Unavailable
from buttress.errors import ExtensionError
from buttress.jwt import JwtExtension, TokenRefused
from buttress.jwt.memory import OFTEN
from tests.jwt.conftest import SECRET, Clock, bearer, protect, route
from tests.services import Make


@pytest.fixture
def clock() -> Clock:
    """Give the time of day."""
    return Clock(float(int(time.time())))


@pytest.fixture
def serve(make: Make, clock: Clock) -> Callable[..., Service]:
    """Give a function that makes a service with a login, a refresh and a logout."""

    def made(**settings: Any) -> Service:
        app = make(extensions=["web", JwtExtension], JWT_SECRET_KEY=SECRET, **settings)
        app.jwt.verifier.clock = app.jwt._denied._clock = clock
        route(app, "/login", lambda: app.jwt.issue("ann", {"role": "guest"}))
        route(app, "/open", dict)
        protect(app, "/refresh", lambda: app.jwt.refresh(), refresh=True)
        protect(app, "/logout", lambda: {"revoked": app.jwt.revoke(get_jwt())})
        protect(app, "/me", lambda: get_jwt())
        protect(app, "/maybe", lambda: {"id": get_jwt_identity()}, optional=True)
        protect(app, "/fail", lambda: abort(409))
        return app

    return made


@pytest.fixture
def app(serve: Callable[..., Service]) -> Service:
    """Make a service that renews nothing."""
    return serve()


@pytest.fixture
def renewing(serve: Callable[..., Service]) -> Service:
    """Make a service that renews."""
    return serve(JWT_RENEW=True)


def login(app: Service) -> tuple[FlaskClient, dict[str, str]]:
    """Begin a session."""
    client = app.test_client()
    answer = client.post("/login").json
    assert answer is not None
    return client, answer


def claims(app: Service, answer: TestResponse) -> dict[str, Any]:
    """Give the claims of the token that an answer has brought."""
    scheme, _, token = answer.headers["Authorization"].partition(" ")
    assert scheme == "Bearer"
    return dict(app.jwt.verify(token))


def test_the_boot_tells_how_long_tokens_last(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """One line of the log says it, as Gnar's does."""
    caplog.set_level(logging.INFO)
    make(
        extensions=["web", JwtExtension],
        JWT_SECRET_KEY=SECRET,
        JWT_ACCESS_TOKEN_EXPIRES_MINUTES=20,
    )
    assert "JWT configured, tokens expire in 20 minutes" in caplog.messages


def test_a_login_gives_two_tokens(app: Service) -> None:
    """Both are of one session and have the claims; the first is fresh."""
    client, pair = login(app)
    access = app.jwt.verify(pair["access_token"])
    refresh = app.jwt.verify(pair["refresh_token"], "refresh")
    assert (access["sid"], access["auth_time"]) == (refresh["sid"], refresh["auth_time"])
    assert (access["fresh"], access["role"], refresh["role"]) == (True, "guest", "guest")
    assert client.get("/me", headers=bearer(pair["access_token"])).status_code == 200


def test_nothing_is_renewed_unless_asked(app: Service) -> None:
    """By default an answer has no token."""
    client, pair = login(app)
    answer = client.get("/me", headers=bearer(pair["access_token"]))
    assert "Authorization" not in answer.headers


def test_an_answer_renews_the_token(renewing: Service, clock: Clock) -> None:
    """It keeps what the token says and of which session it is, and begins anew otherwise."""
    client, pair = login(renewing)
    first = renewing.jwt.verify(pair["access_token"])
    clock.now += 60
    second = claims(renewing, client.get("/me", headers=bearer(pair["access_token"])))
    anew = {"exp", "iat", "nbf", "jti", "fresh"}
    assert {name: it for name, it in first.items() if name not in anew} == {
        name: it for name, it in second.items() if name not in anew
    }
    assert all(first[name] != second[name] for name in anew)
    assert second["exp"] == clock.now + 900


@pytest.mark.parametrize(
    ("path", "renewed"), [("/me", True), ("/maybe", True), ("/fail", True), ("/open", False)]
)
def test_every_answer_of_a_protected_route_renews(
    renewing: Service, path: str, renewed: bool
) -> None:
    """An error does too, and a public route does not, whatever it is sent."""
    client, pair = login(renewing)
    answer = client.get(path, headers=bearer(pair["access_token"]))
    assert ("Authorization" in answer.headers) is renewed


def test_what_is_not_renewed(renewing: Service) -> None:
    """Neither no token, nor a bad one, nor a refresh token."""
    protect(renewing, "/look", lambda: get_jwt(), refresh=True)
    protect(renewing, "/any", lambda: get_jwt(), verify_type=False)
    client, pair = login(renewing)
    assert "Authorization" not in client.get("/maybe").headers
    assert "Authorization" not in client.get("/me", headers=bearer("a.b")).headers
    for path in ("/look", "/any", "/refresh"):
        answer = client.post(path, headers=bearer(pair["refresh_token"]))
        assert (answer.status_code, "Authorization" in answer.headers) == (200, False)


def test_a_renewed_token_is_fresh_no_longer_than_the_first(renewing: Service, clock: Clock) -> None:
    """However often it is renewed, it is fresh until the first one's end."""
    client, pair = login(renewing)
    end = renewing.jwt.verify(pair["access_token"])["exp"]
    token = pair["access_token"]
    for _ in range(3):
        clock.now += 600
        token = client.get("/me", headers=bearer(token)).headers["Authorization"].split()[1]
        assert renewing.jwt.verify(token)["fresh"] == end


def test_renewal_ends_with_the_session(renewing: Service, clock: Clock) -> None:
    """The last token ends when the session does, and then there is no other."""
    client, pair = login(renewing)
    end, token = clock.now + 12 * 3600, pair["access_token"]
    while clock.now + 600 < end:
        clock.now += 600
        answer = client.get("/me", headers=bearer(token))
        token = answer.headers["Authorization"].split()[1]
    assert renewing.jwt.verify(token)["exp"] == end
    clock.now = end - 1
    assert client.get("/me", headers=bearer(token)).status_code == 200
    clock.now = end
    assert client.get("/me", headers=bearer(token)).status_code == 401


def test_a_token_that_outlives_its_session_is_not_renewed(renewing: Service, clock: Clock) -> None:
    """One that was made to last longer is good until its end, and no longer."""
    with renewing.app_context():
        long = create_access_token("ann", additional_claims={"auth_time": int(clock.now) - 43_200})
    answer = renewing.test_client().get("/me", headers=bearer(long))
    assert (answer.status_code, "Authorization" in answer.headers) == (200, False)


def test_a_view_cannot_change_what_is_renewed(renewing: Service) -> None:
    """What a view does with the claims is not signed."""

    def changed() -> dict[str, Any]:
        get_jwt()["role"] = "admin"
        return {}

    protect(renewing, "/changed", changed)
    client, pair = login(renewing)
    answer = client.get("/changed", headers=bearer(pair["access_token"]))
    assert claims(renewing, answer)["role"] == "guest"


def test_a_view_may_send_its_own_token(renewing: Service) -> None:
    """What it has put into the header stays there."""
    protect(renewing, "/own", lambda: ({}, {"Authorization": "Bearer mine"}))
    client, pair = login(renewing)
    answer = client.get("/own", headers=bearer(pair["access_token"]))
    assert answer.headers.getlist("Authorization") == ["Bearer mine"]


@pytest.mark.parametrize(
    ("policy", "by_header", "by_cookie"),
    [
        ("public, max-age=60", False, False),
        ("s-maxage=60", False, False),
        ("max-age=60, must-revalidate", False, False),
        ("max-age=60", True, False),
        ("no-cache", True, False),
        ("private, max-age=60", True, True),
        ("no-store", True, True),
    ],
)
def test_no_token_goes_into_a_shared_cache(
    serve: Callable[..., Service], policy: str, by_header: bool, by_cookie: bool
) -> None:
    """An answer that others may get is sent without one (RFC 9111, 3 and 3.5)."""
    app = serve(JWT_RENEW=True, JWT_TOKEN_LOCATION=["headers", "cookies"])
    protect(app, "/shared", lambda: ({}, {"Cache-Control": policy}))
    client, pair = login(app)
    answer = client.get("/shared", headers=bearer(pair["access_token"]))
    assert ("Authorization" in answer.headers) is by_header
    client.set_cookie("access_token_cookie", pair["access_token"])
    assert ("Set-Cookie" in client.get("/shared").headers) is by_cookie


def test_a_new_token_is_kept_from_caches(renewing: Service) -> None:
    """An answer that has one says so itself, where the view says nothing (RFC 6749, 5.1)."""
    client, pair = login(renewing)
    answer = client.get("/me", headers=bearer(pair["access_token"]))
    assert answer.headers.getlist("Cache-Control") == ["no-store"]


def test_answers_to_somebody_who_is_known(make: Make) -> None:
    """They are kept from caches, and those to nobody are not."""
    app = make(extensions=["web", "security", JwtExtension], JWT_SECRET_KEY=SECRET)
    protect(app, "/maybe", dict, optional=True)
    with app.app_context():
        known = bearer(create_access_token("ann"))
    answers = [app.test_client().get("/maybe", headers=it) for it in (known, {})]
    assert [it.headers.get("Cache-Control") for it in answers] == ["no-store", None]


@pytest.mark.parametrize("kind", ["JWT", ""])
def test_a_token_that_came_by_another_header(serve: Callable[..., Service], kind: str) -> None:
    """It is renewed there, in the same form."""
    app = serve(JWT_RENEW=True, JWT_HEADER_NAME="X-Token", JWT_HEADER_TYPE=kind)
    client, pair = login(app)
    value = f"{kind} {pair['access_token']}".strip()
    answer = client.get("/me", headers={"X-Token": value})
    assert "Authorization" not in answer.headers
    assert client.get("/me", headers={"X-Token": answer.headers["X-Token"]}).status_code == 200


def test_a_form_that_was_open_at_a_renewal(serve: Callable[..., Service]) -> None:
    """Its proof holds for the new cookie too; access and refresh tokens have each their own."""
    app = serve(JWT_RENEW=True, JWT_TOKEN_LOCATION=["headers", "cookies"])
    client, pair = login(app)
    client.set_cookie("access_token_cookie", pair["access_token"])
    proof = {"X-CSRF-TOKEN": app.jwt.verify(pair["access_token"])["csrf"]}
    answers = [client.open("/me", method=it, headers=proof) for it in ("GET", "POST")]
    assert [it.status_code for it in answers] == [200, 200]
    pair = client.post("/refresh", headers=bearer(pair["refresh_token"])).get_json()
    proofs = {app.jwt.verify(pair[f"{it}_token"], it)["csrf"] for it in ("access", "refresh")}
    assert len(proofs) == 2


def test_a_cookie_that_the_view_removes(serve: Callable[..., Service]) -> None:
    """It stays away: renewal does not bring back who has logged out."""
    app = serve(JWT_RENEW=True, JWT_TOKEN_LOCATION=["cookies"])

    def leave() -> Response:
        answer = jsonify({})
        unset_jwt_cookies(answer)
        return answer

    protect(app, "/leave", leave)
    client, pair = login(app)
    client.set_cookie("access_token_cookie", pair["access_token"])
    assert client.get("/leave").status_code == 200
    assert client.get_cookie("access_token_cookie") is None


def test_another_extension_may_have_a_token_renewed(renewing: Service, app: Service) -> None:
    """One that has verified the header of a request itself says so, and its answer brings one."""

    def view() -> dict[str, Any]:
        service = current_app.jwt  # type: ignore[attr-defined]  # it is a Service
        service.renew(service.verify(request.headers["Authorization"].split()[1]), "headers")
        return {}

    for service, renewed in ((renewing, True), (app, False)):
        route(service, "/other", view)
        client, pair = login(service)
        answer = client.get("/other", headers=bearer(pair["access_token"]))
        assert ("Authorization" in answer.headers) is renewed


def test_a_token_that_came_by_a_cookie(serve: Callable[..., Service]) -> None:
    """It is renewed there, and scripts do not get to see it."""
    app = serve(JWT_RENEW=True, JWT_TOKEN_LOCATION=["cookies"])
    client, pair = login(app)
    client.set_cookie("access_token_cookie", pair["access_token"])
    answer = client.get("/me")
    assert answer.status_code == 200
    assert "Authorization" not in answer.headers
    cookie = client.get_cookie("access_token_cookie")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.value != pair["access_token"]


def test_a_user_who_is_gone_gets_no_new_token(renewing: Service) -> None:
    """A request that is refused after its token was verified renews nothing."""
    client, pair = login(renewing)
    renewing.jwt.user_lookup_loader(lambda header, claims: None)
    answer = client.get("/me", headers=bearer(pair["access_token"]))
    assert (answer.status_code, "Authorization" in answer.headers) == (401, False)


def test_a_token_whose_claims_are_not_accepted(renewing: Service) -> None:
    """What the application checks is checked wherever a token is verified, and not renewed."""
    renewing.jwt.token_verification_loader(lambda header, claims: claims["role"] != "guest")
    client, pair = login(renewing)
    answer = client.get("/me", headers=bearer(pair["access_token"]))
    assert (answer.status_code, "Authorization" in answer.headers) == (401, False)
    with pytest.raises(TokenRefused, match="not accepted"):
        renewing.jwt.verify(pair["access_token"])


def test_a_subject_that_disowns_its_tokens(renewing: Service) -> None:
    """What who knows it has marked at the login is in every token that follows, to be looked at."""
    revisions = {"ann": 1}
    renewing.jwt.marks = lambda subject: {"revision": revisions[subject], "role": "marked"}
    renewing.jwt.refuses = lambda claims: claims["revision"] < revisions["ann"]
    protect(renewing, "/change", lambda: revisions.update(ann=2) or {})
    client, pair = login(renewing)
    renewed = client.get("/me", headers=bearer(pair["access_token"])).headers["Authorization"]
    pair = client.post("/refresh", headers=bearer(pair["refresh_token"])).get_json()
    claims = renewing.jwt.verify(pair["access_token"])
    assert (claims["revision"], claims["role"]) == (1, "guest")
    assert "Authorization" not in client.get("/change", headers={"Authorization": renewed}).headers
    assert client.get("/me", headers={"Authorization": renewed}).status_code == 401
    assert client.post("/refresh", headers=bearer(pair["refresh_token"])).status_code == 401
    _, again = login(renewing)
    assert client.get("/me", headers=bearer(again["access_token"])).status_code == 200


def test_another_manager_stops_the_start(app: Service) -> None:
    """One in the place of ours would verify tokens leniently and know of no revocation."""
    JWTManager(app)
    with pytest.raises(ExtensionError, match=r"remove it, and use app\.jwt"):
        app.test_client().get("/me")


def test_a_logout_ends_the_session(renewing: Service) -> None:
    """Every token of it is refused from then on, renewed ones too, and nothing is renewed."""
    client, pair = login(renewing)
    renewed = client.get("/me", headers=bearer(pair["access_token"])).headers["Authorization"]
    other_client, other = login(renewing)
    answer = client.post("/logout", headers=bearer(pair["access_token"]))
    assert (answer.status_code, "Authorization" in answer.headers) == (200, False)
    for header in (f"Bearer {pair['access_token']}", renewed):
        answer = client.get("/me", headers={"Authorization": header})
        assert (answer.status_code, answer.json and answer.json["detail"]) == (
            401,
            "Token has been revoked",
        )
    assert client.post("/refresh", headers=bearer(pair["refresh_token"])).status_code == 401
    assert other_client.get("/me", headers=bearer(other["access_token"])).status_code == 200


def test_a_session_is_over_until_its_last_token_has_ended(
    serve: Callable[..., Service], clock: Clock
) -> None:
    """A refresh token that lasts longer than sessions do is refused to its end after a logout."""
    app = serve(JWT_REFRESH_TOKEN_EXPIRES=30 * 86_400)
    protect(app, "/look", lambda: get_jwt(), refresh=True)
    client, pair = login(app)
    client.post("/logout", headers=bearer(pair["access_token"]))
    clock.now += 29 * 86_400
    for number in range(OFTEN):
        app.jwt._denied.add(f"{number}", clock.now + 1)
    assert client.get("/look", headers=bearer(pair["refresh_token"])).status_code == 401


@pytest.mark.parametrize("what", ["token", "claims", "jti", "sid"])
def test_what_can_be_revoked(app: Service, what: str) -> None:
    """A token, its claims, or one id."""
    client, pair = login(app)
    held = app.jwt.verify(pair["access_token"])
    app.jwt.revoke({"token": pair["access_token"], "claims": held}.get(what) or held[what])
    assert client.get("/me", headers=bearer(pair["access_token"])).status_code == 401
    with pytest.raises(TokenRefused, match="revoked"):
        app.jwt.verify(pair["access_token"])
    refused = client.post("/refresh", headers=bearer(pair["refresh_token"])).status_code == 401
    assert refused is (what != "jti")


def test_what_cannot_be_revoked(app: Service) -> None:
    """A token that is none, and a text that is no id."""
    with pytest.raises(TokenRefused):
        app.jwt.revoke("a.b.c")
    for text in ("", "a b", "x" * 129, "\x00"):
        with pytest.raises(ValueError, match="no id"):
            app.jwt.revoke(text)


def test_a_process_alone_says_so(app: Service, caplog: pytest.LogCaptureFixture) -> None:
    """Without a database other processes do not learn of it, of which the log warns once."""
    for name in ("one", "two"):
        app.jwt.revoke(name)
    assert caplog.messages == ["tokens are revoked in one process only: add the extension 'db'"]


def test_a_refresh_token_is_used_once(app: Service, clock: Clock) -> None:
    """It gives two tokens of the same session, of which the second can be used next."""
    client, pair = login(app)
    session = app.jwt.verify(pair["access_token"])["sid"]
    for _ in range(3):
        clock.now += 600
        answer = client.post("/refresh", headers=bearer(pair["refresh_token"]))
        assert answer.json is not None
        pair = answer.json
        access = app.jwt.verify(pair["access_token"])
        assert (access["sid"], access["role"], access["fresh"]) == (session, "guest", False)


def test_a_refresh_token_used_twice_ends_the_session(
    app: Service, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody has stolen it, so neither of the two gets any further (RFC 9700, 4.14.2)."""
    client, first = login(app)
    second = client.post("/refresh", headers=bearer(first["refresh_token"])).json
    assert second is not None
    assert client.get("/me", headers=bearer(second["access_token"])).status_code == 200
    assert client.post("/refresh", headers=bearer(first["refresh_token"])).status_code == 401
    assert client.post("/refresh", headers=bearer(second["refresh_token"])).status_code == 401
    for pair in (first, second):
        assert client.get("/me", headers=bearer(pair["access_token"])).status_code == 401
    assert "a refresh token is used twice: its session ends" in caplog.messages


def test_of_two_requests_at_once_one_is_refreshed(
    app: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where both were found good before either was marked, the second ends the session."""
    client, pair = login(app)
    monkeypatch.setattr(type(app.jwt), "blocked", lambda *_: False)
    answers = [client.post("/refresh", headers=bearer(pair["refresh_token"])) for _ in range(2)]
    assert [it.status_code for it in answers] == [200, 401]
    monkeypatch.undo()
    assert answers[0].json is not None
    with pytest.raises(TokenRefused, match="revoked"):
        app.jwt.verify(answers[0].json["access_token"])


def test_refreshing_ends_with_the_session(app: Service, clock: Clock) -> None:
    """No token lasts longer than the session, whose begin is handed on."""
    client, pair = login(app)
    end = clock.now + 12 * 3600
    clock.now = end - 300
    answer = client.post("/refresh", headers=bearer(pair["refresh_token"]))
    assert answer.json is not None
    assert app.jwt.verify(answer.json["access_token"])["exp"] == end
    assert app.jwt.verify(answer.json["refresh_token"], "refresh")["exp"] == end
    clock.now = end
    answer = client.post("/refresh", headers=bearer(answer.json["refresh_token"]))
    assert (answer.status_code, answer.json and answer.json["detail"]) == (401, "Token has expired")


def test_a_refresh_token_of_flask_jwt_extended(app: Service, clock: Clock) -> None:
    """One that was made by its own function begins a session of its own, and ends with that."""
    with app.app_context():
        plain = create_refresh_token(
            "ann", additional_claims={"auth_time": int(clock.now) - 43_200}
        )
    answer = app.test_client().post("/refresh", headers=bearer(plain))
    assert (answer.status_code, answer.json and answer.json["detail"]) == (401, "Token has expired")
    with app.app_context():
        plain = create_refresh_token("ann")
    assert app.test_client().post("/refresh", headers=bearer(plain)).status_code == 200
    assert app.test_client().post("/refresh", headers=bearer(plain)).status_code == 401


def test_claims_may_change_with_a_refresh(app: Service) -> None:
    """What the view gives replaces what is handed on, but not what the session is."""
    changed = {"role": "admin", "exp": 1, "jti": "mine"}
    protect(app, "/promote", lambda: app.jwt.refresh(changed), refresh=True)
    client, pair = login(app)
    answer = client.post("/promote", headers=bearer(pair["refresh_token"]))
    assert answer.json is not None
    for name, kind in (("access_token", "access"), ("refresh_token", "refresh")):
        assert app.jwt.verify(answer.json[name], kind)["role"] == "admin"


def test_refresh_belongs_into_a_route_for_it(app: Service) -> None:
    """An access token gives no other one."""
    protect(app, "/wrong", lambda: app.jwt.refresh())
    client, pair = login(app)
    with pytest.raises(RuntimeError, match="refresh=True"):
        client.post("/wrong", headers=bearer(pair["access_token"]))


def test_a_deny_list_that_is_down(app: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protected routes answer 503 and when to come again, never 401."""

    def down(*_: object) -> bool:
        raise Unavailable("It is not known which tokens are revoked.")

    client, pair = login(app)
    monkeypatch.setattr(type(app.jwt._denied), "has", down)
    answer = client.get("/me", headers=bearer(pair["access_token"]))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert client.get("/open").status_code == 200


def test_a_list_that_goes_down_during_a_request(
    renewing: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is sent, without a new token."""
    denied = type(renewing.jwt._denied)

    def view() -> Response:
        def down(*_: object) -> bool:
            raise Unavailable

        monkeypatch.setattr(denied, "has", down)
        return jsonify({})

    protect(renewing, "/break", view)
    client, pair = login(renewing)
    answer = client.get("/break", headers=bearer(pair["access_token"]))
    assert (answer.status_code, "Authorization" in answer.headers) == (200, False)


def test_a_database_is_used_where_there_is_one(make: Make, tmp_path: Any) -> None:
    """Two services that share it refuse what one of them has revoked."""
    settings = {"DB_URL": f"sqlite:///{tmp_path / 'x.sqlite'}", "JWT_SECRET_KEY": SECRET}
    apps = [make(name, extensions=["web", "db", JwtExtension], **settings) for name in ("a", "b")]
    for app in apps:
        app.lifecycle.start()
    with apps[0].app_context():
        token = create_access_token("ann")
    apps[0].jwt.revoke(token)
    with pytest.raises(TokenRefused, match="revoked"):
        apps[1].jwt.verify(token)
