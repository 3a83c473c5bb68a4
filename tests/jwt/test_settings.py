"""Settings of tokens."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_jwt_extended import JWTManager, create_refresh_token

from buttress import ConfigError
from buttress.jwt import JwtExtension, JwtSettings, TokenRefused
from buttress.jwt.flaskjwt import NOT_READ, OPEN
from tests.jwt.conftest import SECRET, as_json, pem, private_key, public_pem, signed
from tests.services import Make


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({}, "JWT_SECRET_KEY is missing: buttress secret new JWT_SECRET_KEY"),
        ({"JWT_SECRET_KEY": "x" * 31}, "JWT_SECRET_KEY|at least 32"),
        ({"JWT_ACCESS_TOKEN_EXPIRES_MINUTES": 0}, "JWT_ACCESS_TOKEN_EXPIRES_MINUTES"),
        ({"JWT_ACCESS_TOKEN_EXPIRES_MINUTES": -5}, "JWT_ACCESS_TOKEN_EXPIRES_MINUTES"),
        ({"JWT_ACCESS_TOKEN_EXPIRES_MINUTES": "soon"}, "JWT_ACCESS_TOKEN_EXPIRES_MINUTES"),
        ({"JWT_ACCESS_TOKEN_EXPIRES_MINUTES": ""}, "JWT_ACCESS_TOKEN_EXPIRES_MINUTES"),
        ({"JWT_ACCESS_TOKEN_EXPIRES_MINUTES": float("nan")}, "JWT_ACCESS_TOKEN_EXPIRES_MINUTES"),
        ({"JWT_ACCESS_TOKEN_EXPIRES_MINUTES": "nan"}, "JWT_ACCESS_TOKEN_EXPIRES_MINUTES"),
        ({"JWT_ACCESS_TOKEN_EXPIRES_MINUTES": "inf"}, "JWT_ACCESS_TOKEN_EXPIRES_MINUTES"),
        ({"JWT_ACCESS_TOKEN_EXPIRES_MINUTES": True}, "JWT_ACCESS_TOKEN_EXPIRES_MINUTES"),
        ({"JWT_SESSION_HOURS": 0.1}, "would outlive its session"),
        ({"JWT_SESSION_HOURS": 0}, "JWT_SESSION_HOURS"),
        ({"JWT_LEEWAY": 61}, "JWT_LEEWAY"),
        ({"JWT_ALGORITHM": "none"}, "JWT_ALGORITHM"),
        ({"JWT_ALGORITHM": "HS512"}, "JWT_ALGORITHM"),
        ({"JWT_ALGORITHM": "RS256", "JWT_SECRET_KEY": None}, "JWT_ALGORITHM=RS256 needs JWT_KEYS"),
        ({"JWT_ALGORITHM": "RS256"}, "JWT_SECRET_KEY and JWT_PREVIOUS_KEYS are not for"),
        ({"JWT_KEYS": ["key.pem"]}, "JWT_KEYS are not for JWT_ALGORITHM=HS256"),
        ({"JWT_PREVIOUS_KEYS": {"soon": f"old{SECRET}"}}, "JWT_PREVIOUS_KEYS: write each"),
        ({"JWT_PREVIOUS_KEYS": {"2027-01-01": f"old{SECRET}"}}, "JWT_PREVIOUS_KEYS: write each"),
        ({"JWT_REFRESH_TOKEN_EXPIRES": False}, "JWT_REFRESH_TOKEN_EXPIRES"),
        ({"JWT_ACCESS_TOKEN_EXPIRES": 60}, "JWT_ACCESS_TOKEN_EXPIRES_MINUTES"),
        ({"JWT_DECODE_ISSUER": "x", "JWT_PUBLIC_KEY": "x"}, "set JWT_ISSUER(.|\n)*set JWT_KEYS"),
        ({"JWT_IDENTITY_CLAIM": "identity"}, "JWT_IDENTITY_CLAIM is not read"),
        ({"JWT_VERIFY_SUB": False}, "JWT_VERIFY_SUB is not read"),
        (
            {"JWT_ERROR_MESSAGE_KEY": "error"},
            "JWT_ERROR_MESSAGE_KEY is not read: .*ERRORS_STYLE",
        ),
        ({"JWT_TOKEN_LOCATION": "header"}, "JWT_TOKEN_LOCATION must name some of headers, cookies"),
        ({"JWT_TOKEN_LOCATION": ["headers", "cookie"]}, "JWT_TOKEN_LOCATION"),
        ({"JWT_TOKEN_LOCATION": []}, "JWT_TOKEN_LOCATION"),
        ({"JWT_TOKEN_LOCATION": 1}, "JWT_TOKEN_LOCATION"),
    ],
)
def test_a_wrong_setting_stops_the_boot(make: Make, config: dict[str, Any], problem: str) -> None:
    """The error names the setting and what is wrong."""
    given = {"JWT_SECRET_KEY": SECRET, **config} if config else {}
    with pytest.raises(ConfigError, match=problem) as caught:
        make(extensions=["web", JwtExtension], **given)
    assert SECRET not in str(caught.value)


def test_what_is_so_anyway_may_be_said(make: Make) -> None:
    """Settings of Flask-JWT-Extended that are not read may have the value that holds."""
    same = {"JWT_IDENTITY_CLAIM": "sub", "JWT_VERIFY_SUB": True, "JWT_PUBLIC_KEY": None}
    app = make(extensions=[JwtExtension], JWT_SECRET_KEY=SECRET, **same)
    assert app.config["JWT_REFRESH_TOKEN_EXPIRES"] == timedelta(hours=12)


@pytest.mark.parametrize("lasting", [90, 90.0, timedelta(seconds=90)])
def test_how_long_a_refresh_token_lasts(make: Make, lasting: Any) -> None:
    """It is said in seconds or as a time."""
    app = make(extensions=["web", "jwt"], JWT_SECRET_KEY=SECRET, JWT_REFRESH_TOKEN_EXPIRES=lasting)
    with app.app_context():
        held = app.jwt.verify(create_refresh_token("ann"), "refresh")
    assert held["exp"] - held["iat"] == 90


def test_a_misspelt_setting_is_told(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Only the settings of Flask-JWT-Extended pass, not whatever begins like them."""
    monkeypatch.setenv("SHOP_JWT_COOKIE_SAMSITE", "Strict")
    monkeypatch.setenv("SHOP_JWT_COOKIE_SECURE", "true")
    app = make(extensions=["log", JwtExtension], JWT_SECRET_KEY=SECRET)
    assert "declares JWT_COOKIE_SAMSITE" in caplog.text
    assert "JWT_COOKIE_SECURE" not in caplog.text
    assert app.config["JWT_COOKIE_SECURE"] is True


def test_every_setting_is_known() -> None:
    """Those of Flask-JWT-Extended are open, ours, or refused with what to do."""
    stock = Flask("stock")
    JWTManager(stock)
    ours = {f"JWT_{name.upper()}" for name in JwtSettings.__struct_fields__}
    known = {*OPEN, *NOT_READ, *ours}
    assert {name for name in stock.config if name.startswith("JWT_")} - known == set()
    assert {*OPEN} & {*NOT_READ, *ours} == set()


def test_a_previous_secret_verifies_until_its_end(make: Make) -> None:
    """Tokens by it are good before that and refused after."""
    app = make(
        extensions=["web", JwtExtension],
        JWT_SECRET_KEY=SECRET,
        JWT_PREVIOUS_KEYS={
            "2100-01-01T00:00:00Z": f"old{SECRET}",
            "2020-01-01T01:00:00+01:00": f"older{SECRET}",
        },
    )
    claims = {"sub": "ann", "jti": "j", "type": "access", "exp": 4_000_000_000}
    parts = as_json({"alg": "HS256"}), as_json(claims)
    assert app.jwt.verify(signed("HS256", f"old{SECRET}".encode(), *parts))["sub"] == "ann"
    with pytest.raises(TokenRefused):
        app.jwt.verify(signed("HS256", f"older{SECRET}".encode(), *parts))


def test_the_environment_has_them(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys are those that Gnar documents, behind the prefix of the service."""
    monkeypatch.setenv("SHOP_JWT_SECRET_KEY", SECRET)
    monkeypatch.setenv("SHOP_JWT_ACCESS_TOKEN_EXPIRES_MINUTES", "20")
    app = make(extensions=["web", JwtExtension])
    assert app.settings.jwt.access_token_expires_minutes == 20
    assert SECRET not in repr(app.settings.jwt)


@pytest.mark.parametrize(
    "content",
    [b"", b"no key", pem(private_key("ES256")), b'{"keys": []}'],
    ids=["empty", "no key", "another kind of key", "no keys"],
)
def test_a_wrong_file_stops_the_boot(make: Make, tmp_path: Path, content: bytes) -> None:
    """The error names the file, or the algorithm that its key is for."""
    (tmp_path / "key").write_bytes(content)
    settings = {"JWT_ALGORITHM": "EdDSA", "JWT_KEYS": [tmp_path / "key"]}
    with pytest.raises(ConfigError, match=r"JWT_KEYS|first private key"):
        make(extensions=["web", JwtExtension], **settings)


def test_a_service_may_only_verify(make: Make, tmp_path: Path) -> None:
    """With public keys alone it makes no tokens and takes those of another."""
    (tmp_path / "public.pem").write_bytes(public_pem(private_key("ES256")))
    settings = {"JWT_ALGORITHM": "ES256", "JWT_KEYS": [tmp_path / "public.pem"]}
    app = make(extensions=["web", JwtExtension], **settings)
    claims = {"sub": "ann", "jti": "j", "type": "access", "exp": 4_000_000_000}
    token = signed("ES256", private_key("ES256"), as_json({"alg": "ES256"}), as_json(claims))
    assert app.jwt.verify(token)["sub"] == "ann"
    with app.app_context(), pytest.raises(Exception, match="no private key"):
        app.jwt.issue("ann")
    with pytest.raises(ConfigError, match="JWT_RENEW needs a private key"):
        make("renewing", extensions=["web", JwtExtension], JWT_RENEW=True, **settings)
