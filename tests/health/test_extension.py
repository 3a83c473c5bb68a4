from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask.sessions import SessionInterface

from buttress import ConfigError, Deadline, Service
from buttress.lifecycle import State
from tests.services import Make

PATHS = ("/__heartbeat__", "/__lbheartbeat__", "/__version__", "/livez", "/readyz", "/startupz")


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest) -> str:
    """Give each health path."""
    return str(request.param)


def status(app: Service, path: str) -> int:
    """Give the status of an answer."""
    return app.test_client().get(path).status_code


def test_healthy_service(make: Make, path: str) -> None:
    """A healthy service answers 200 with JSON that nobody may store, to GET and HEAD."""
    client = make().test_client()
    answer, head = client.get(path), client.head(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert isinstance(answer.get_json(), dict)
    assert (head.status_code, head.data, head.mimetype) == (200, b"", "application/json")


def test_other_methods(make: Make, path: str) -> None:
    """Other methods are refused, and told which are allowed."""
    answer = make().test_client().post(path)
    assert answer.status_code == 405
    assert {*answer.allow} == {"GET", "HEAD"}


def test_hooks_of_the_application_do_not_matter(make: Make, path: str) -> None:
    """Neither a hook that requires a login nor one that fails stops a probe."""
    app = make()
    app.before_request(lambda: ("log in", 401))
    app.after_request(lambda _response: 1 / 0)
    app.teardown_request(lambda _error: 1 / 0)
    assert status(app, path) == 200


def test_no_session_is_opened(make: Make, path: str) -> None:
    """A session store that is down does not stop a probe."""

    class Down(SessionInterface):
        def open_session(self, app: object, request: object) -> Any:
            raise ConnectionError("the session store is down")

    app = make()
    app.session_interface = Down()
    assert status(app, path) == 200
    with pytest.raises(ConnectionError):
        status(app, "/")


def test_errors_style_does_not_matter(make: Make, path: str) -> None:
    """In Gnar's style probes have their true status and body too."""
    app = make(ERRORS_STYLE="gnar")
    app.start()
    app.lifecycle.state = State.STARTING
    expected = 503 if path in ("/readyz", "/startupz") else 200
    assert status(app, path) == expected
    app.lifecycle.state = State.SERVING


def test_first_request_makes_it_ready(make: Make) -> None:
    """In a container that is not ours the first request, a probe too, starts the service."""
    app = make()
    assert app.lifecycle.state is State.BOOTED
    assert app.test_client().get("/readyz").get_json() == {"status": "serving"}


def test_draining(make: Make) -> None:
    """While draining readiness is 503 and everything else still 200."""
    app = make()
    app.start()
    app.lifecycle.drain(Deadline(1))
    assert {path: status(app, path) for path in PATHS if status(app, path) != 200} == {
        "/readyz": 503
    }
    assert app.test_client().get("/readyz").get_json() == {"status": "draining"}


def test_load_balancer_touches_nothing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the heartbeat runs checks."""
    app = make()
    monkeypatch.setattr(app.health, "_heartbeat", None)
    assert {status(app, path) for path in PATHS if path != "/__heartbeat__"} == {200}


@pytest.mark.parametrize("rule", ["/livez", "/__heartbeat__"])
def test_own_route_stays(make: Make, caplog: pytest.LogCaptureFixture, rule: str) -> None:
    """A route of the application's own at such a path stays, with a warning."""
    app = make()
    app.add_url_rule(rule, "mine", view_func=lambda: "mine")
    client = app.test_client()
    assert client.get(rule).text == "mine"
    assert client.get("/readyz").status_code == 200
    assert f"route of its own at {rule}" in caplog.text


def test_route_for_everything_does_not_hide_them(make: Make, path: str) -> None:
    """A route that takes any path leaves the health paths alone."""
    app = make()
    app.add_url_rule("/<path:any>", "all", view_func=lambda any: "mine")
    assert app.test_client().get(path).mimetype == "application/json"


def test_prefix(make: Make, path: str) -> None:
    """HEALTH_PREFIX moves every path."""
    app = make(HEALTH_PREFIX="/internal")
    assert (status(app, f"/internal{path}"), status(app, path)) == (200, 404)
    assert f"/internal{path}" in app.health.reports


@pytest.mark.parametrize("prefix", ["internal", "/internal/", "/"])
def test_bad_prefix(make: Make, prefix: str) -> None:
    """A prefix that would give odd paths stops the boot."""
    with pytest.raises(ConfigError, match="HEALTH_PREFIX"):
        make(HEALTH_PREFIX=prefix)


def test_without_other_extensions(make: Make, path: str) -> None:
    """Health needs no other extension."""
    assert status(make(extensions=["health"]), path) == 200


def test_without_health(make: Make, path: str) -> None:
    """Without the extension there are no such routes."""
    assert status(make(extensions=["web"]), path) == 404


def test_broken_module_in_development(
    make: Make, package: Callable[[Mapping[str, str]], Path]
) -> None:
    """In development a module that did not load is named on the heartbeat, which is 503."""
    package({"shop/app/__init__.py": "", "shop/app/lifts.py": "import nowhere"})
    answer = make(MODE="development").test_client().get("/__heartbeat__")
    assert answer.status_code == 503
    assert answer.get_json()["broken"] == ["shop.app.lifts"]


def test_an_extension_that_cannot_work_yet(make: Make) -> None:
    """While something stands in the way it is alive and started, not ready, and says why."""
    app = make()
    app.lifecycle.gates["db"] = lambda: reason
    app.lifecycle.gates["cache"] = lambda: None
    client = app.test_client()
    reason: str | None = "the lift is closed"
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["obstacles"]) == (503, {"db": reason})
    assert [client.get(path).status_code for path in ("/livez", "/startupz")] == [200, 200]
    reason = None
    assert client.get("/readyz").status_code == 200
