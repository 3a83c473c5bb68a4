"""Development beside production: foreign pages, errors, and modules that do not load."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

from buttress.errors import DiscoveryError
from buttress.gnar import GnarApp
from buttress.lifecycle import Deadline

from .conftest import Make

FOREIGN = {"Origin": "https://elsewhere.example"}
ALLOWED = "Access-Control-Allow-Origin"


@pytest.fixture
def broken(shop: Path) -> Iterator[Path]:
    """Break one module of the shop and give its file."""
    path = shop / "shop" / "app" / "user" / "apis.py"
    path.write_text("this is no Python\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("path", ["/user/get", "/user/fail", "/nowhere"])
def test_foreign_pages_in_development(make: Make, path: str) -> None:
    """In development any page may read any answer, errors included, and its Authorization."""
    answer = make(production=False).test_client().get(path, headers=FOREIGN)
    assert answer.headers[ALLOWED] == "*"
    assert answer.headers["Access-Control-Expose-Headers"] == "Authorization"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_preflight_in_development(make: Make, method: str) -> None:
    """In development a page may use every method and send Authorization and JSON."""
    asked = {"Access-Control-Request-Method": method}
    answer = make(production=False).test_client().options("/user/get", headers=FOREIGN | asked)
    assert method in answer.headers["Access-Control-Allow-Methods"]
    for name in ("Authorization", "Content-Type"):
        assert name in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("path", ["/user/get", "/user/fail", "/nowhere"])
def test_foreign_pages_in_production(make: Make, path: str) -> None:
    """In production no answer has a header for foreign pages."""
    answer = make().test_client().get(path, headers=FOREIGN)
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_error_in_development(make: Make) -> None:
    """An exception is answered in Gnar's shape, with its traceback."""
    answer = make(production=False).test_client().get("/user/fail")
    assert (answer.status_code, answer.json["error"]) == (200, "Shop API Error")
    assert answer.json["traceback"].startswith("Shop API Error:\nTraceback")
    assert "RuntimeError: the piste map is gone" in answer.json["traceback"]


def test_error_in_production(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    """In production nothing of the exception leaves; the log has it, by the id in the answer."""
    answer = make().test_client().get("/user/fail")
    assert (answer.status_code, answer.json["error"]) == (200, "Shop API Error")
    assert sorted(answer.json) == ["code", "error", "request_id"]
    _, _, logged = capfd.readouterr().out.partition(" ERROR ")
    first, *trace = logged.splitlines()
    assert first.endswith(f"Exception on /user/fail [GET] rid={answer.json['request_id']}")
    assert "    RuntimeError: the piste map is gone" in trace


def test_error_in_production_as_documented(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting brings back the traceback that the document has in every answer."""
    monkeypatch.setenv("GNAR_EXPOSE_TRACEBACK", "true")
    answer = make().test_client().get("/user/fail")
    assert answer.json["traceback"].startswith("Shop API Error:\nTraceback")
    assert "RuntimeError: the piste map is gone" in answer.json["traceback"]


@pytest.mark.parametrize("production", [True, False])
@pytest.mark.parametrize(
    ("method", "path", "error"),
    [("GET", "/nowhere", "was not found"), ("POST", "/user/get", "is not allowed")],
)
def test_http_errors(make: Make, production: bool, method: str, path: str, error: str) -> None:
    """An error of HTTP is answered with 200 too, and says what is wrong."""
    answer = make(production=production).test_client().open(path, method=method)
    assert (answer.status_code, error in answer.json["error"]) == (200, True)
    assert ("traceback" in answer.json) is not production


def test_health_has_true_statuses(make: Make) -> None:
    """What a probe asks is answered by the status, whatever the style of the errors."""
    app = make()
    app.start()
    app.lifecycle.drain(Deadline(0))
    answer = Client(app).get("/readyz")
    assert (answer.status_code, app.settings.web.errors_style) == (503, "gnar")


def test_error_as_problem(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``ERRORS_STYLE`` set an application answers with true status codes."""
    monkeypatch.setenv("GNAR_ERRORS_STYLE", "problem")
    client = make().test_client()
    assert client.get("/user/fail").status_code == 500
    assert client.get("/nowhere").status_code == 404


@pytest.mark.usefixtures("broken")
def test_broken_module_in_production(make: Make) -> None:
    """In production a module that does not load stops the boot."""
    with pytest.raises(DiscoveryError, match=r"shop\.app\.user\.apis does not load"):
        make().boot()


@pytest.mark.usefixtures("broken")
def test_broken_module_in_development(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    """In development it is logged with its traceback, the others serve, and none says "up"."""
    app = make(production=False)
    assert app.test_client().get("/admin").json == {"status": "admin"}
    app.announce()
    logged = capfd.readouterr().out
    assert list(app.broken) == ["shop.app.user.apis"]
    assert "SyntaxError" in logged
    assert "is up" not in logged


def test_mended_module(make: Make, broken: Path) -> None:
    """Once it is mended, the next application has it."""
    make(production=False).boot()
    broken.write_text(
        "from flask import Blueprint\nblueprint = Blueprint('user', __name__)\n", encoding="utf-8"
    )
    app = make(production=False)
    app.boot()
    assert (sorted(app.blueprints), app.broken) == (["admin", "user"], {})


def test_mode_is_the_flag(make: Make) -> None:
    """``production`` decides the mode, and with it Flask's debug flag."""
    apps: list[GnarApp] = [make(production=True), make(production=False)]
    for app in apps:
        app.boot()
    assert [app.mode for app in apps] == ["production", "development"]
    assert [app.debug for app in apps] == [False, True]
