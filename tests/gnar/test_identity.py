"""What the Gnar document promises of passwords and tokens."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import argon2
import jwt
import pytest
from flask_jwt_extended import JWTManager, create_access_token

from buttress import ConfigError
from buttress.gnar import GnarApp

from .conftest import Make

#: Routes that need tokens, and one that gives them.
TOKENS = """
    from flask import Blueprint, jsonify
    from flask_jwt_extended import create_access_token, get_jwt_identity, jwt_required

    blueprint = Blueprint("tokens", __name__, url_prefix="/tokens")

    @blueprint.get("/new/<name>")
    def new(name):
        return jsonify(token=create_access_token(identity=name))

    @blueprint.get("/me")
    @jwt_required()
    def me():
        return jsonify(me=get_jwt_identity())
"""


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the documented variable."""
    monkeypatch.setenv("GNAR_JWT_SECRET_KEY", token_urlsafe(32))


@pytest.fixture
def app(make: Make, shop: Path, key: None) -> GnarApp:
    """Give an application with tokens."""
    (shop / "shop/app/tokens").mkdir()
    (shop / "shop/app/tokens/__init__.py").touch()
    lines = [line.removeprefix("    ") for line in TOKENS.splitlines()]
    (shop / "shop/app/tokens/apis.py").write_text("\n".join(lines))
    return make(no_jwt=False)


def bearer(app: GnarApp, name: str = "ada") -> dict[str, str]:
    """Give the header of somebody with a token."""
    token = app.test_client().get(f"/tokens/new/{name}").json["token"]
    return {"Authorization": f"Bearer {token}"}


def test_passwords(make: Make) -> None:
    """Passwords are hashed with a salt, and checked; a malformed hash is not right."""
    app = make()
    app.boot()
    hashed = app.generate_password_hash("powder")
    assert hashed != app.generate_password_hash("powder")
    assert app.check_password_hash(hashed, "powder") is True
    assert app.check_password_hash(hashed, "ice") is False
    assert app.check_password_hash("no hash", "powder") is False
    assert app.check_password_hash(hashed, "") is False


def test_empty_password(make: Make) -> None:
    """An empty password is refused in the documented words."""
    app = make()
    app.boot()
    with pytest.raises(ValueError, match="Password cannot be empty"):
        app.generate_password_hash("")


def test_argon2(make: Make) -> None:
    """The hasher is argon2-cffi's, whose ``verify`` raises."""
    app = make()
    app.boot()
    assert isinstance(app.argon2, argon2.PasswordHasher)
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        app.argon2.verify(app.argon2.hash("powder"), "ice")


def test_argon2_variables(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash is made by all six documented variables."""
    given = {"TIME_COST": 3, "MEMORY_COST": 20_000, "PARALLELISM": 2, "HASH_LEN": 24}
    for name, value in (given | {"SALT_LEN": 18, "ENCODING": "utf-16"}).items():
        monkeypatch.setenv(f"GNAR_ARGON2_{name}", str(value))
    app = make()
    app.boot()
    hashed = app.generate_password_hash("pøwder")
    assert hashed.startswith("$argon2id$v=19$m=20000,t=3,p=2$")
    assert [len(part) for part in hashed.split("$")[-2:]] == [18 * 4 // 3, 24 * 4 // 3]
    assert app.argon2.verify(hashed, "pøwder".encode("utf-16"))


def test_argon2_defaults(make: Make) -> None:
    """Without variables a hash is Argon2id of 19 MiB, two passes and one lane."""
    app = make()
    app.boot()
    hashed = app.generate_password_hash("powder")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (app.argon2.hash_len, app.argon2.salt_len, app.argon2.encoding) == (32, 16, "utf-8")


def test_argon2_variables_that_are_no_numbers(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that are wrong are named at once."""
    monkeypatch.setenv("GNAR_ARGON2_TIME_COST", "two")
    monkeypatch.setenv("GNAR_ARGON2_HASH_LEN", "0")
    with pytest.raises(ConfigError) as caught:
        make().boot()
    assert [name in str(caught.value) for name in ("TIME_COST", "HASH_LEN")] == [True, True]


def test_the_documented_memory_is_too_little(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The documented 512 KiB are refused in production, and do in development."""
    monkeypatch.setenv("GNAR_ARGON2_MEMORY_COST", "512")
    with pytest.raises(ConfigError, match="ARGON2_MEMORY_COST=512 is below 19456"):
        make().boot()
    make("shop", production=False).boot()


def test_hashes_of_the_documented_defaults(make: Make) -> None:
    """What Gnar Gear's documented settings have hashed is still right."""
    app = make()
    app.boot()
    old = argon2.PasswordHasher(2, 512, 2, 16, 16, type=argon2.Type.I).hash("powder")
    assert app.check_password_hash(old, "powder") is True


def test_token_renewal(app: GnarApp) -> None:
    """The answer of a protected route has a new token; that of a public one has none."""
    client, headers = app.test_client(), bearer(app)
    answer = client.get("/tokens/me", headers=headers)
    assert answer.json == {"me": "ada"}
    renewed = answer.headers["Authorization"]
    assert (renewed.startswith("Bearer "), renewed == headers["Authorization"]) == (True, False)
    assert client.get("/tokens/me", headers={"Authorization": renewed}).json == {"me": "ada"}
    assert "Authorization" not in client.get("/user/get", headers=headers).headers


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "Missing Authorization Header"),
        ({"Authorization": "Basic x"}, "Missing 'Bearer' type in 'Authorization' header"),
        ({"Authorization": "Bearer x"}, "The token has not three parts"),
    ],
)
def test_refused_tokens(app: GnarApp, headers: dict[str, str], error: str) -> None:
    """A request without a good token is answered in the documented form, and says why."""
    answer = app.test_client().get("/tokens/me", headers=headers)
    assert (answer.status_code, error in answer.json["error"]) == (200, True)
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="shop"')
    assert "Authorization" not in answer.headers


def test_expired_token(app: GnarApp) -> None:
    """An expired token is refused in the documented words."""
    client = app.test_client()
    with app.app_context():
        token = create_access_token("ada", expires_delta=timedelta(seconds=-60))
    answer = client.get("/tokens/me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json["error"]) == (200, "Token has expired")


def test_true_status(app: GnarApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """With problems the same refusal has its true status."""
    monkeypatch.setenv("GNAR_ERRORS_STYLE", "problem")
    answer = app.test_client().get("/tokens/me")
    assert (answer.status_code, answer.json["code"]) == (401, "unauthorized")


@pytest.mark.parametrize(("said", "minutes"), [(None, 15), ("90", 90)])
def test_token_settings(
    app: GnarApp, monkeypatch: pytest.MonkeyPatch, said: str | None, minutes: int
) -> None:
    """Flask's variables are those of the environment, and tokens last as long as they say."""
    secret = os.environ["GNAR_JWT_SECRET_KEY"]
    if said is not None:
        monkeypatch.setenv("GNAR_JWT_ACCESS_TOKEN_EXPIRES_MINUTES", said)
    token = bearer(app)["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, app.flask.config["JWT_SECRET_KEY"], ["HS256"])
    assert app.flask.config["JWT_SECRET_KEY"] == secret
    assert app.flask.config["JWT_ACCESS_TOKEN_EXPIRES"] == timedelta(minutes=minutes)
    assert claims["exp"] - claims["iat"] == minutes * 60


def test_manager(make: Make, key: None) -> None:
    """What is attached is a manager of Flask-JWT-Extended."""
    app = make(no_jwt=False)
    app.boot()
    assert isinstance(app.jwt, JWTManager)


def test_renewal_is_of_tokens(app: GnarApp) -> None:
    """Tokens are renewed by ``jwt``, so by whatever step the answers are completed."""
    app.configure_after_request = lambda: None  # type: ignore[method-assign]  # as documented
    answer = app.test_client().get("/tokens/me", headers=bearer(app))
    assert answer.headers["Authorization"].startswith("Bearer ")


def test_renewal_is_a_setting(app: GnarApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """``GNAR_JWT_RENEW=false`` ends it."""
    monkeypatch.setenv("GNAR_JWT_RENEW", "false")
    assert "Authorization" not in app.test_client().get("/tokens/me", headers=bearer(app)).headers


@pytest.mark.parametrize("production", [True, False])
def test_short_secret_key(make: Make, production: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that can be guessed stops the start."""
    monkeypatch.setenv("GNAR_JWT_SECRET_KEY", token_urlsafe(16))
    with pytest.raises(ConfigError, match="JWT_SECRET_KEY.* must have at least 32"):
        make(production=production, no_jwt=False).boot()


def test_secret_key_is_required(make: Make) -> None:
    """Without the documented variable the application does not start, unless ``no_jwt``."""
    with pytest.raises(ConfigError, match="JWT_SECRET_KEY is missing"):
        make(no_jwt=False).boot()
    make(no_jwt=True).boot()


@pytest.mark.parametrize("minutes", ["0", "-5", "soon", ""])
def test_minutes_that_are_none(
    make: Make, key: None, minutes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens expire: what is no positive number of minutes stops the start."""
    monkeypatch.setenv("GNAR_JWT_ACCESS_TOKEN_EXPIRES_MINUTES", minutes)
    with pytest.raises(ConfigError, match="JWT_ACCESS_TOKEN_EXPIRES_MINUTES"):
        make(no_jwt=False).boot()


def test_lines_about_identity(make: Make, key: None, caplog: pytest.LogCaptureFixture) -> None:
    """The documented lines are logged at the start."""
    make(no_jwt=False).boot()
    assert "Argon2 PasswordHasher instantiated with {'time_cost': 2" in caplog.text
    assert "JWT configured, tokens expire in 15 minutes" in caplog.text


def test_users_in_the_database(make: Make) -> None:
    """With a database the users are in it, although passwords are configured before."""
    app: Any = make(no_db=False)
    app.start()
    app.auth.users.create("ada", "powder")
    assert app.db.one("SELECT name FROM buttress_user") == "ada"


def test_the_token_of_a_disabled_user(app: GnarApp) -> None:
    """The token of a user of the service is refused once the user is disabled."""
    client, headers = app.test_client(), bearer(app)
    app.auth.users.create("ada", "powder and sun")
    assert client.get("/tokens/me", headers=headers).json == {"me": "ada"}
    app.auth.users.update("ada", active=False)
    assert client.get("/tokens/me", headers=headers).json["code"] == "unauthorized"
