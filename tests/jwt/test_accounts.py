"""Tokens of users of the service: on the routes of ``auth``, and after a change of the user."""

from __future__ import annotations

import pytest
from flask_jwt_extended import create_access_token, get_jwt_identity

from buttress import Service, auth
from buttress.auth import User
from buttress.jwt import TokenRefused
from tests.jwt.conftest import SECRET, bearer, protect, route
from tests.services import Make

PATHS = ("/token", "/known")


@pytest.fixture
def app(make: Make) -> Service:
    """Make a service that renews, with the user ann, and a route of each kind."""
    app = make(extensions=["web", "auth", "jwt"], JWT_SECRET_KEY=SECRET, JWT_RENEW=True)
    protect(app, "/token", lambda: {"id": get_jwt_identity()})
    route(app, "/known", auth.required(lambda: {"id": auth.principal.id}))
    route(app, "/lifts", auth.scopes("write:lifts")(lambda: {"id": auth.principal.id}))
    route(app, "/asks", lambda: {"id": auth.principal.id})
    route(app, "/open", dict)
    app.lifecycle.start()
    app.auth.users.create("ann", "aiguille du midi")
    return app


def token(app: Service) -> str:
    """Give a token of a login."""
    with app.app_context():
        return app.jwt.issue("ann")["access_token"]


def statuses(app: Service, secret: str) -> list[int]:
    """Ask a route of each kind."""
    client = app.test_client()
    return [client.get(path, headers=bearer(secret)).status_code for path in PATHS]


def test_every_route_renews_that_looks(app: Service) -> None:
    """Whoever closes it, also where rights are lacking; one that looks at no token does not."""
    client, headers = app.test_client(), bearer(token(app))
    paths = (*PATHS, "/lifts", "/asks", "/open")
    renewed = [
        path for path in paths if "Authorization" in client.get(path, headers=headers).headers
    ]
    assert renewed == [*PATHS, "/lifts", "/asks"]


def test_a_changed_password_ends_tokens(app: Service) -> None:
    """Those made before are refused, renewed ones too, and those made after it are good."""
    old = token(app)
    answer = app.test_client().get("/known", headers=bearer(old))
    renewed = answer.headers["Authorization"].split()[1]
    app.auth.users.change_password("ann", "dent du geant")
    assert [statuses(app, it) for it in (old, renewed, token(app))] == [
        [401, 401],
        [401, 401],
        [200, 200],
    ]


def test_a_password_that_another_process_has_changed(app: Service) -> None:
    """Who logs in after that is not refused, however long this one remembers the user."""
    assert statuses(app, token(app)) == [200, 200]
    app.auth.users._users.change_password("ann", "dent du geant")  # type: ignore[attr-defined]  # unwatched
    made = token(app)
    assert statuses(app, made) == [200, 200]
    app.auth.directory.forget()
    assert statuses(app, made) == [200, 200]


def test_a_disabled_user(app: Service) -> None:
    """Their tokens are refused, whenever they were made and whoever has marked them."""
    before = token(app)
    with app.app_context():
        unmarked = create_access_token("ann", additional_claims={"user_revision": None})
    app.auth.users.update("ann", active=False)
    assert [statuses(app, it) for it in (before, unmarked, token(app))] == [[401, 401]] * 3


def test_a_new_user_of_an_old_name(app: Service) -> None:
    """They do not inherit the tokens of who was called so before, nor what follows from those."""
    old = token(app)
    app.auth.users.delete("ann")
    app.auth.users.create("ann", "dent du geant")
    assert [statuses(app, it) for it in (old, token(app))] == [[401, 401], [200, 200]]


def test_users_without_revisions(app: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a directory's users, whose passwords it knows alone, the id is compared all the same."""

    def be(user_id: str) -> None:
        monkeypatch.setattr(app.auth.directory, "look", lambda _: User(id=user_id, name="ann"))

    be("7.1")
    old = token(app)
    assert statuses(app, old) == [200, 200]
    be("8.1")
    assert statuses(app, old) == [401, 401]


def test_a_token_that_a_script_makes(make: Make) -> None:
    """A service that is not started marks tokens too."""
    app = make(extensions=["web", "auth", "jwt"], JWT_SECRET_KEY=SECRET)
    app.auth.users.create("ann", "aiguille du midi")
    made = token(app)
    app.auth.users.change_password("ann", "dent du geant")
    with app.app_context(), pytest.raises(TokenRefused):
        app.jwt.verify(made)


def test_what_else_may_be_in_the_place_of_the_mark(app: Service) -> None:
    """Where it names no user nothing is compared."""
    app.auth.users.change_password("ann", "dent du geant")
    user = app.auth.users.get("ann")
    assert user is not None
    for mark in (f"3.{user.id}", f"x.{user.id}", f".{user.id}", "1.", "", 7, None):
        with app.app_context():
            made = create_access_token("ann", additional_claims={"user_revision": mark})
        assert statuses(app, made) == [200, 200]


def test_nobody_of_that_name(app: Service) -> None:
    """A token of somebody who is no user here has no mark."""
    with app.app_context():
        assert "user_revision" not in app.jwt.verify(create_access_token("robot"))
