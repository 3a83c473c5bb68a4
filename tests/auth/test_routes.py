"""Routes that ask who calls: decorators, blueprints, defaults."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, request
from flask.testing import FlaskClient
from flask.views import MethodView

from buttress import ExtensionError, Problem, Service, auth
from buttress.auth.passwords import Passwords
from tests.services import Make

EXTENSIONS = ["log", "web", "auth"]
ROLES = {"guide": ["read:pistes", "read:lifts"], "admin": ["*"]}

Headers = dict[str, str]


@pytest.fixture
def app(make: Make, passwords: Passwords) -> Service:
    """Give a service with two users, ada (guide) and bob (no role)."""
    app = make(extensions=EXTENSIONS, AUTH_ROLES=ROLES, AUTH_REMEMBER=0)
    app.auth.passwords = passwords  # which cost nothing
    for name, roles in {"ada": ["guide"], "bob": [], "root": ["admin"]}.items():
        app.auth.users.create(name, f"{name}'s password", roles=roles)
    return app


@pytest.fixture
def as_user(app: Service) -> Callable[[str], Headers]:
    """Give a function that gives the headers of a user's request."""

    def headers(name: str) -> Headers:
        user = app.auth.users.get(name)
        assert user is not None
        secret, _ = app.auth.issue_token(user, label="test", days=1)
        return {"Authorization": f"Bearer {secret}"}

    return headers


def status(client: FlaskClient, path: str, headers: Headers | None = None) -> int:
    """Ask, and give the status."""
    return client.get(path, headers=headers).status_code


def test_a_login_is_needed(app: Service, as_user: Callable[[str], Headers]) -> None:
    """Nobody gets 401 with a challenge, a user the answer."""

    @app.get("/pistes")
    @auth.required
    def pistes() -> str:
        return auth.principal.id

    client = app.test_client()
    refused = client.get("/pistes")
    assert (refused.status_code, refused.json["code"]) == (401, "unauthorized")
    assert 'Bearer realm="shop"' in refused.headers["WWW-Authenticate"]
    assert client.get("/pistes", headers=as_user("bob")).text == "bob"


def test_scopes_are_needed(app: Service, as_user: Callable[[str], Headers]) -> None:
    """A user without the scopes gets 403, which does not say what is missing."""

    @app.get("/pistes")
    @auth.scopes("read:pistes")
    def pistes() -> str:
        return "open"

    client = app.test_client()
    refused = client.get("/pistes", headers=as_user("bob"))
    assert (refused.status_code, refused.json["code"]) == (403, "forbidden")
    assert "read:pistes" not in refused.text
    assert [status(client, "/pistes", as_user(it)) for it in ("ada", "root")] == [200, 200]
    assert status(client, "/pistes") == 401


def test_a_blueprint(app: Service, as_user: Callable[[str], Headers]) -> None:
    """A blueprint closes all its views, and those of blueprints in it; one may be opened."""
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    auth.required(outer)
    auth.scopes("read:pistes")(inner)
    outer.add_url_rule("/outer", "outer", lambda: "outer")
    outer.add_url_rule("/open", "open", auth.public(lambda: "open"))
    inner.add_url_rule("/inner", "inner", lambda: "inner")
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    client = app.test_client()
    assert [status(client, path) for path in ("/outer", "/open", "/inner")] == [401, 200, 401]
    bob, ada = as_user("bob"), as_user("ada")
    assert [status(client, path, bob) for path in ("/outer", "/inner")] == [200, 403]
    assert [status(client, path, ada) for path in ("/outer", "/inner")] == [200, 200]


def test_closed_by_default(make: Make) -> None:
    """A service may be closed but for what is opened; unknown paths stay unknown."""
    app = make(extensions=EXTENSIONS, AUTH_DEFAULT="required")
    app.add_url_rule("/closed", "closed", lambda: "closed")
    app.add_url_rule("/open", "open", auth.public(lambda: "open"))
    client = app.test_client()
    paths = ("/closed", "/open", "/__permissions__", "/nowhere")
    assert [status(client, path) for path in paths] == [401, 200, 200, 404]


def test_views_that_are_methods(app: Service) -> None:
    """A class of views takes the decorators in its list."""

    class Lifts(MethodView):
        decorators = (auth.required,)

        def get(self) -> str:
            return "lifts"

    app.add_url_rule("/lifts", view_func=Lifts.as_view("lifts"))
    assert status(app.test_client(), "/lifts") == 401


def test_an_async_view(app: Service, as_user: Callable[[str], Headers]) -> None:
    """Views that are coroutines are closed as others are."""
    # asgiref would leave a thread behind.
    app.async_to_sync = lambda view: lambda **given: asyncio.run(view(**given))  # type: ignore[method-assign]  # as said

    @app.get("/snow")
    @auth.required
    async def snow() -> str:
        return "deep"

    client = app.test_client()
    assert (status(client, "/snow"), status(client, "/snow", as_user("ada"))) == (401, 200)


@pytest.mark.parametrize("wrong", [MethodView, "pistes", None])
def test_what_is_no_view(wrong: Any) -> None:
    """Only views and blueprints can be closed."""
    with pytest.raises(TypeError, match="neither a view nor a blueprint"):
        auth.required(wrong)


def test_two_policies() -> None:
    """A view or a blueprint has one policy: of two nobody would know which holds."""
    with pytest.raises(ValueError, match="two policies"):
        auth.required(auth.scopes("a")(lambda: ""))
    with pytest.raises(ValueError, match="two policies"):
        auth.public(auth.required(Blueprint("outer", __name__)))


def test_a_decorator_above_the_route(app: Service) -> None:
    """A decorator that stands above its route, where it closes nothing, stops the start."""

    @auth.required
    @app.get("/pistes")
    def pistes() -> str:
        return "open"

    with pytest.raises(ExtensionError, match="'pistes' stands above its route"):
        app.start()


def test_one_view_at_two_places(app: Service) -> None:
    """The same function may be open at one place and closed at another."""

    class Resort:
        def snow(self) -> str:
            return "snow"

    snow = Resort().snow
    app.add_url_rule("/open", "open", auth.public(snow))
    app.add_url_rule("/closed", "closed", auth.required(snow))
    client = app.test_client()
    assert [status(client, path) for path in ("/open", "/closed")] == [200, 401]
    assert status(client, "/open", {"Authorization": "Bearer bt_no"}) == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY"])
def test_every_method(app: Service, method: str) -> None:
    """A closed view is closed to every method."""
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "QUERY"]
    app.add_url_rule("/", "all", auth.required(lambda: "open"), methods=methods)
    answer = app.test_client().open("/", method=method)
    assert (answer.status_code, "open" in answer.text) == (401, False)


def test_files_of_a_closed_service(make: Make, tmp_path: Path) -> None:
    """In a closed service static files are closed too."""
    app = make(extensions=EXTENSIONS, AUTH_DEFAULT="required")
    (tmp_path / "piste.css").write_text("")
    app.static_folder = str(tmp_path)
    client = app.test_client()
    assert [status(client, f"/static/{it}") for it in ("piste.css", "nothing")] == [401, 401]


def test_error_handlers_ask_who_it_is(app: Service) -> None:
    """An error handler may ask who makes the request that was refused: nobody."""

    @app.errorhandler(Problem)
    def refused(error: Exception) -> tuple[str, int]:
        return f"not you, {auth.principal.id or 'nobody'}", 401

    app.get("/")(auth.required(lambda: "open"))
    answer = app.test_client().get("/", headers={"Authorization": "Bearer bt_no"})
    assert (answer.status_code, answer.text) == (401, "not you, nobody")


def test_a_service_in_another(app: Service, make: Make, as_user: Callable[[str], Headers]) -> None:
    """A service that is called by another one with its request finds out itself who makes it."""
    inner = make("inner", extensions=EXTENSIONS)
    inner.get("/")(auth.required(lambda: auth.principal.id))
    app.get("/")(
        auth.required(lambda: Response.from_app(inner.wsgi_app, request.environ, buffered=True))
    )
    assert status(app.test_client(), "/", as_user("ada")) == 401


def test_headers_that_look_like_ours(app: Service) -> None:
    """No header makes anybody known."""
    app.get("/")(auth.required(lambda: "open"))
    names = ("buttress.auth.principal", "Remote-User", "X-Remote-User", "buttress-auth-principal")
    assert status(app.test_client(), "/", dict.fromkeys(names, "ada")) == 401


def test_outside_of_requests(app: Service) -> None:
    """Without a request there is nobody to ask for."""
    with app.app_context(), pytest.raises(RuntimeError):
        _ = auth.principal.id


def test_misspelt_options() -> None:
    """A misspelt option is an error where it stands."""
    with pytest.raises(TypeError):
        auth.scopes("a", anyof=["b"])  # type: ignore[call-arg]  # on purpose


def test_a_misspelt_scope(make: Make) -> None:
    """Where the settings name all scopes, another one stops the start."""
    app = make(extensions=EXTENSIONS, AUTH_SCOPES=["read:pistes"])
    app.get("/")(auth.scopes("read:piste")(lambda: ""))
    with pytest.raises(ExtensionError, match="asks for the scope 'read:piste'. Did you mean"):
        app.start()


def test_without_the_extension(make: Make) -> None:
    """A protected route of a service without the extension is closed to everybody."""
    app = make(extensions=["log", "web"])
    app.get("/")(auth.required(lambda: "open"))
    with pytest.raises(ExtensionError, match="no extension 'auth'"):
        app.test_client().get("/")


def test_under_flask_alone() -> None:
    """Under a plain Flask a protected route is closed too."""
    app = Flask("shop")
    app.get("/")(auth.required(lambda: "open"))
    assert status(app.test_client(), "/") == 500


def test_permissions(app: Service, as_user: Callable[[str], Headers]) -> None:
    """Everybody may ask what they may; no cache keeps it."""
    client = app.test_client()
    nobody = client.get("/__permissions__")
    assert nobody.json == {"user_id": None, "kind": "anonymous", "permissions": []}
    ada = client.get("/__permissions__", headers=as_user("ada"))
    assert ada.json["permissions"] == ["read:lifts", "read:pistes"]
    assert ada.headers["Cache-Control"] == "no-store"
    assert {"Authorization", "Cookie"} <= set(ada.vary)


def test_wrong_credentials_are_never_passed_over(app: Service) -> None:
    """Who sends credentials that are wrong is told so also where none are needed."""
    headers = {"Authorization": "Bearer bt_no"}
    assert status(app.test_client(), "/__permissions__", headers) == 401
