"""What another service is told of who makes a request: two services that share a key."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import request
from werkzeug.serving import make_server

from buttress import LifecycleError, Service, auth
from buttress.auth.policy import KNOWN
from buttress.jwt import JwtExtension, TokenExpired
from buttress.jwt.peers import authorization
from tests.jwt.conftest import SECRET, Clock, bearer, pem, private_key, protect, public_pem, route
from tests.services import Make

#: Makes both services by their common settings; gives the one that calls, and the other.
Pair = Callable[..., tuple[Service, Service]]


@pytest.fixture
def clock() -> Clock:
    """Give the time of day, in both services."""
    return Clock(float(int(time.time())))


@pytest.fixture
def pair(make: Make, clock: Clock) -> Iterator[Pair]:
    """Give a function that makes a service that calls another, which listens on a port."""
    running: list[tuple[Any, threading.Thread]] = []

    def pair(**settings: Any) -> tuple[Service, Service]:
        settings = {"JWT_SECRET_KEY": SECRET, **settings}
        extensions = ["web", "auth", JwtExtension]
        other = make("other", extensions=extensions, **settings)
        answer(other)
        server = make_server("127.0.0.1", 0, other, threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        running.append((server, thread))
        where = {"other": f"127.0.0.1:{server.server_port}"}
        app = make("shop", extensions=[*extensions, "peers"], PEERS_ADDRESSES=where, **settings)
        call(app)
        app.jwt.verifier.clock = other.jwt.verifier.clock = clock
        return app, other

    yield pair
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(other: Service) -> None:
    """Give the other service its routes: what it has heard, and two that are closed."""

    def heard() -> dict[str, Any]:
        who = auth.principal
        said = request.headers.get("Authorization")
        return {"header": said, "id": who.id, "scopes": sorted(who.scopes), **who.claims}

    route(other, "/heard", heard)
    route(other, "/lifts", auth.scopes("write:lifts")(lambda: heard()))
    protect(other, "/fresh", dict, fresh=True)


def call(app: Service) -> None:
    """Give the service routes of every kind, all of which call the other one."""

    def hear() -> Any:
        options = {"auto_auth": "not" not in request.args}
        if "own" in request.args:
            options["headers"] = {"Authorization": "Basic eDp5"}
        path = request.args.get("path", "/heard")
        found = app.peer("other").get(path, **options)
        return found.json(), found.status_code

    def look() -> Any:
        assert auth.principal
        return hear()

    # Each route has a view of its own, as everywhere.
    route(app, "/public", lambda: hear())
    route(app, "/looking", look)
    route(app, "/known", auth.required(lambda: hear()))
    route(app, "/lifts", auth.scopes("write:lifts")(lambda: hear()))
    protect(app, "/token", lambda: hear())
    protect(app, "/maybe", lambda: hear(), optional=True)
    protect(app, "/refresh", lambda: hear(), refresh=True)


def token(app: Service, identity: str = "ann", kind: str = "access", **claims: Any) -> str:
    """Give a token of a login."""
    with app.app_context():
        return app.jwt.issue(identity, claims)[f"{kind}_token"]


def ask(app: Service, path: str, secret: str | None = None) -> dict[str, Any]:
    """Ask the service, and give what the other one has answered to it."""
    headers = {} if secret is None else bearer(secret)
    found: dict[str, Any] = app.test_client().get(path, headers=headers).get_json()
    return found


@pytest.mark.parametrize("path", ["/known", "/token", "/maybe", "/lifts"])
def test_the_identity_goes_along(pair: Pair, path: str) -> None:
    """On a route that asks for a login the other service knows who makes the request."""
    app, _ = pair()
    secret = token(app, scope="read:pistes write:lifts")
    heard = ask(app, path, secret)
    assert (heard["id"], heard["scopes"]) == ("ann", ["read:pistes", "write:lifts"])
    assert heard["header"] not in {None, f"Bearer {secret}"}


@pytest.mark.parametrize("path", ["/known", "/token", "/lifts"])
def test_only_where_asked(pair: Pair, path: str) -> None:
    """Without ``auto_auth`` nothing is added."""
    app, _ = pair()
    heard = ask(app, f"{path}?not", token(app, scope="write:lifts"))
    assert (heard["header"], heard["id"]) == (None, "")


@pytest.mark.parametrize("path", ["/known", "/token", "/lifts"])
def test_an_own_header_wins(pair: Pair, path: str) -> None:
    """A call that brings an Authorization of its own keeps it."""
    app, _ = pair()
    heard = ask(app, f"{path}?own", token(app, scope="write:lifts"))
    assert heard["header"] == "Basic eDp5"


@pytest.mark.parametrize("path", ["/public", "/looking"])
def test_nothing_on_a_public_route(pair: Pair, path: str) -> None:
    """Whoever comes, also where the view looks who it is."""
    app, _ = pair()
    assert ask(app, path, token(app))["header"] is None


def test_nothing_for_nobody(pair: Pair) -> None:
    """A route that takes a token or none says nothing of who sends none."""
    app, _ = pair()
    assert ask(app, "/maybe")["header"] is None


def test_a_service_that_is_closed(pair: Pair) -> None:
    """A route is protected as well where the whole service asks for a login."""
    app, _ = pair(AUTH_DEFAULT="required")
    assert ask(app, "/public", token(app))["id"] == "ann"


@pytest.mark.parametrize(("scope", "code"), [("write:*", None), ("read:lifts", "forbidden")])
def test_the_other_service_decides(pair: Pair, scope: str, code: str | None) -> None:
    """The scopes of the caller are looked at there, and no others are added."""
    app, _ = pair()
    assert ask(app, "/known?path=/lifts", token(app, scope=scope)).get("code") == code


def test_scopes_of_roles(pair: Pair) -> None:
    """Where the scopes come from roles they go along; the other service need not know the user."""
    app, _ = pair(AUTH_ROLES={"patrol": ["write:lifts"]})
    app.auth.users.create("ann", "aiguille du midi", roles=["patrol"])
    assert ask(app, "/known", token(app))["scopes"] == ["write:lifts"]


def test_an_api_token_stays_as_narrow(pair: Pair) -> None:
    """The owner goes along with the scopes of the token, not with those of the roles."""
    app, other = pair(AUTH_ROLES={"admin": ["*"]})
    user = app.auth.users.create("ann", "aiguille du midi", roles=["admin"])
    other.auth.users.create("ann", "aiguille du midi", roles=["admin"])
    secret, _ = app.auth.issue_token(user, label="robot", days=1, scopes=["read:lifts"])
    heard = ask(app, "/known", secret)
    assert (heard["id"], heard["scopes"], heard["type"]) == ("ann", ["read:lifts"], "access")


def test_no_scopes_are_none(pair: Pair) -> None:
    """Who may nothing here may nothing there, whatever the roles of that name are."""
    app, other = pair(AUTH_ROLES={"admin": ["*"]})
    app.auth.users.create("ann", "aiguille du midi")
    other.auth.users.create("ann", "aiguille du midi", roles=["admin"])
    assert ask(app, "/known", token(app))["scopes"] == []


def test_it_is_not_fresh(pair: Pair) -> None:
    """Nobody has typed a password for what the other service does."""
    app, _ = pair()
    assert ask(app, "/known?path=/fresh", token(app))["code"] == "unauthorized"


def test_it_lasts_a_minute(pair: Pair, clock: Clock) -> None:
    """The token is good for 60 seconds and no longer."""
    app, other = pair()
    secret = ask(app, "/token", token(app))["header"].removeprefix("Bearer ")
    clock.now += 59
    assert other.jwt.verify(secret)["sub"] == "ann"
    clock.now += 1
    with pytest.raises(TokenExpired):
        other.jwt.verify(secret)


@pytest.mark.parametrize("path", ["/known", "/token"])
def test_it_is_of_the_same_session(pair: Pair, path: str) -> None:
    """What ends the session ends it too; it is a token of its own all the same."""
    app, other = pair()
    secret = token(app)
    held, heard = app.jwt.verify(secret), ask(app, path, secret)
    assert (heard["sid"], heard["auth_time"]) == (held["sid"], held["auth_time"])
    assert heard["jti"] != held["jti"]
    other.jwt.revoke(held["sid"])
    assert ask(app, path, secret)["code"] == "unauthorized"


def test_a_refresh_token_is_not_handed_on(pair: Pair) -> None:
    """On a route for refresh tokens the other service gets an access token."""
    app, _ = pair()
    assert ask(app, "/refresh", token(app, kind="refresh"))["type"] == "access"


def test_issuer_and_audience(pair: Pair) -> None:
    """They are those of the settings, so that the other service takes it."""
    app, _ = pair(JWT_ISSUER="https://resort.example", JWT_AUDIENCE="resort")
    for path in ("/known", "/token"):
        heard = ask(app, path, token(app))
        assert (heard["iss"], heard["aud"]) == ("https://resort.example", "resort")


def test_outside_of_requests(pair: Pair) -> None:
    """A job has no identity to hand on."""
    app, _ = pair()
    assert authorization(app.jwt) is None
    with app.app_context():
        assert authorization(app.jwt) is None
        assert app.peer("other").get("/heard", auto_auth=True).json()["header"] is None


def test_before_the_route_has_asked(pair: Pair) -> None:
    """A token that nobody has verified is not looked at."""
    app, _ = pair()
    with app.test_request_context("/known", headers=bearer(token(app))):
        assert authorization(app.jwt) is None


def test_after_a_logout(pair: Pair) -> None:
    """Whom the view has logged out does not go along any more, nor does another service's user."""
    app, other = pair()
    with app.test_request_context("/known", headers=bearer(token(app))):
        app.auth.demand(KNOWN)
        assert authorization(app.jwt) is not None
        assert other.auth.admitted is None
        app.auth.access.forget(request)
        assert authorization(app.jwt) is None


def test_a_service_that_only_verifies(make: Make, tmp_path: Path) -> None:
    """Without a private key the call fails, and says why."""
    key = private_key("EdDSA")
    for name, text in (("private", pem(key)), ("public", public_pem(key))):
        (tmp_path / f"{name}.pem").write_bytes(text)
    common: dict[str, Any] = {"extensions": ["web", "auth", JwtExtension], "JWT_ALGORITHM": "EdDSA"}
    signer = make("other", **common, JWT_KEYS=[str(tmp_path / "private.pem")])
    app = make(**common, JWT_KEYS=[str(tmp_path / "public.pem")])
    with app.test_request_context("/", headers=bearer(token(signer))):
        app.auth.demand(KNOWN)
        with pytest.raises(LifecycleError, match="no private key"):
            authorization(app.jwt)
