"""Protected routes: by tokens beside Flask-JWT-Extended, and by what only Buttress has."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask_jwt_extended import JWTManager, create_access_token, get_jwt_identity, jwt_required

from benchmarks.cases.case import Case
from benchmarks.cases.outcome import FLASK, SERVICE
from benchmarks.cases.request import Request
from benchmarks.cases.service import service
from buttress import auth

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from buttress import Service

PATH, BODY = "/me", b'{"id":"ann"}'
#: More tokens than a service remembers, so that each is new to it when it comes again.
MANY = 5000
TITLES = {
    "known": "`@jwt_required()`, a token that came before",
    "new": "`@jwt_required()`, a token that is new",
    "API token": "`@auth.required`, an API token",
    "session": "`@auth.required`, the cookie of a session",
}
MEMORY, SQLITE, ASKED = "memory", "SQLite", "SQLite, asked each time"


class Rotated:
    """Call an application with one token after the other."""

    def __init__(self, app: WSGIApplication, tokens: Sequence[str]) -> None:
        self._app = app
        self._headers = cycle([f"Bearer {token}" for token in tokens])

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        """Call it with the next token."""
        environ["HTTP_AUTHORIZATION"] = next(self._headers)
        return self._app(environ, start_response)


@contextmanager
def token_cases() -> Iterator[list[Case]]:
    """Make the cases of tokens: the same view on stock Flask and on a service."""
    key = secrets.token_urlsafe(48)
    stock = Flask(__name__)
    stock.config["JWT_SECRET_KEY"] = key
    JWTManager(stock)
    with service(["jwt"], JWT_SECRET_KEY=key, JWT_ACCESS_TOKEN_EXPIRES_MINUTES=60) as ours:
        apps: dict[str, Flask] = {FLASK: stock, SERVICE: ours}
        for app in apps.values():
            app.get(PATH)(jwt_required()(_me))
        with ours.app_context():
            tokens = [create_access_token("ann") for _ in range(MANY)]
        one = _bearing(f"Bearer {tokens[0]}")
        rotated: dict[str, WSGIApplication] = {
            name: Rotated(app, tokens) for name, app in apps.items()
        }
        yield [Case("known", one, 200, BODY, {**apps}), Case("new", one, 200, BODY, rotated)]


@contextmanager
def credential_cases() -> Iterator[list[Case]]:
    """Make the cases of what a service issues and keeps itself."""
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        cases = []
        for name, settings in {
            MEMORY: {},
            SQLITE: {"DB_URL": f"sqlite:///{Path(folder, 'a.db')}"},
            ASKED: {"DB_URL": f"sqlite:///{Path(folder, 'b.db')}", "AUTH_REMEMBER": 0.0},
        }.items():
            app = stack.enter_context(_keeping(settings))
            cases += _kept(app, name)
        yield cases


def _kept(app: Service, name: str) -> list[Case]:
    """Make both cases for a service with one user."""
    user = app.auth.users.create("ann", secrets.token_urlsafe(12))
    token, _ = app.auth.issue_token(user, label="bench", days=1)
    session, _ = app.auth.issuer.issue(user, kind="session", seconds=86_400)
    cookie = f"{app.auth.session.cookie}={session}"
    return [
        Case("API token", _bearing(f"Bearer {token}"), 200, BODY, {name: app}),
        Case("session", Request(PATH, headers=(("HTTP_COOKIE", cookie),)), 200, BODY, {name: app}),
    ]


@contextmanager
def _keeping(settings: dict[str, Any]) -> Iterator[Service]:
    """Make a service that keeps users, in a database where the settings name one."""
    extensions = ["web", "health", "db", "auth"] if settings else ["auth"]
    with service(extensions, **settings) as app:
        if settings:
            app.db.migrations.upgrade()
        app.get(PATH)(auth.required(lambda: {"id": auth.principal.id}))
        yield app


def _bearing(header: str) -> Request:
    return Request(PATH, headers=(("HTTP_AUTHORIZATION", header),))


def _me() -> dict[str, Any]:
    return {"id": get_jwt_identity()}
