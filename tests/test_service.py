"""The application object, bare and with a plan."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click
import flask
import pytest

from buttress import LifecycleError, Service, create_app
from buttress.errors import DiscoveryError
from buttress.gnar import GnarApp
from buttress.lifecycle import State
from buttress.loading import recording

Package = Callable[[Mapping[str, str]], Path]


def test_a_bare_service_is_a_flask() -> None:
    """It answers without a boot, as Flask does, with Flask's own error pages."""
    app = Service("bare")
    app.get("/")(lambda: {"name": flask.current_app.name})
    client = app.test_client()
    assert client.get("/").json == {"name": "bare"}
    assert client.get("/nowhere").data == flask.Flask("bare").test_client().get("/").data
    assert app.lifecycle.state is State.OPEN


def test_a_bare_service_has_no_boot() -> None:
    """Booting it says which function gives a boot."""
    with pytest.raises(LifecycleError, match="use create_app"):
        Service("bare").boot()


def test_a_bare_service_refuses_late_registration_as_flask_does() -> None:
    """The error is Flask's own."""
    app = Service("bare")
    app.test_client().get("/")
    with pytest.raises(AssertionError, match="can no longer be called"):
        app.get("/late")(lambda: "late")


def test_a_bare_service_runs_as_flask_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """run() is Flask's development server."""
    served: list[tuple[str, int]] = []
    monkeypatch.setattr(
        "werkzeug.serving.run_simple", lambda host, port, app, **kw: served.append((host, port))
    )
    Service("bare").run(port=5005)
    assert served == [("127.0.0.1", 5005)]


def test_the_mode_of_a_bare_service_follows_flask() -> None:
    """debug and testing are all that it has."""
    app = Service("bare")
    modes = [app.mode]
    app.debug = True
    modes.append(app.mode)
    app.testing = True
    assert [*modes, app.mode] == ["production", "development", "testing"]


def test_middleware_wraps_as_in_flask() -> None:
    """Replacing wsgi_app works."""
    app = Service("bare")
    app.get("/")(lambda: flask.request.environ["seen"])
    inner = app.wsgi_app

    def middleware(environ, start_response):  # type: ignore[no-untyped-def]  # any WSGI callable
        return inner({**environ, "seen": "yes"}, start_response)

    app.wsgi_app = middleware
    assert app.test_client().get("/").data == b"yes"


def test_the_first_request_starts_a_booted_service(package: Package) -> None:
    """In a foreign container there is nobody else who would."""
    package({"shop/__init__.py": ""})
    app = create_app("shop", extensions=[])
    app.test_client().get("/")
    assert app.lifecycle.state is State.SERVING
    assert app.lifecycle.embedded


def test_a_closed_service_answers_nothing(package: Package) -> None:
    """A request after close is an error, not a half-answer."""
    package({"shop/__init__.py": ""})
    app = create_app("shop", extensions=[])
    client = app.test_client()
    client.get("/")
    app.close()
    with pytest.raises(LifecycleError, match="shop is closed"):
        client.get("/")


@pytest.mark.parametrize("use", ["client.get('/')", "app.close()"])
def test_a_fork_of_a_serving_process_is_refused(package: Package, use: str) -> None:
    """Neither requests nor close pass in a process that did not start the service."""
    package({"shop/__init__.py": ""})
    app = create_app("shop", extensions=[])
    client = app.test_client()
    client.get("/")
    child = os.fork()
    if child == 0:
        os._exit(_refused(use, {"app": app, "client": client}))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def _refused(use: str, names: dict[str, object]) -> int:
    try:
        eval(use, names)  # noqa: S307  # one of the two texts above
    except LifecycleError as error:
        return 7 if "start it in each worker" in str(error) else 2
    return 3


def test_a_boot_that_failed_says_why_again(package: Package) -> None:
    """Later requests are told the first reason, not only that there was one."""
    package({"shop/app/bad.py": "raise OSError('no disk')"})
    app = GnarApp("shop", production=True, port=0, no_db=True, no_jwt=True)
    for _ in range(2):
        with pytest.raises((DiscoveryError, LifecycleError), match="no disk"):
            app({"PATH_INFO": "/", "REQUEST_METHOD": "GET"}, lambda *answer: None)


def test_an_exit_in_a_view_is_an_error(package: Package) -> None:
    """It is answered with 500 and ends neither the process nor the requests of others."""
    package({"shop/__init__.py": ""})
    app = create_app("shop", extensions=[])
    app.get("/")(lambda: sys.exit(3))
    assert app.test_client().get("/").status_code == 500
    app.close()


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("hook", ["before_request", "after_request"])
def test_an_exit_in_a_hook_is_an_error(package: Package, hook: str, compiled: bool) -> None:
    """It is answered with 500, also where it happens again for the error page."""
    package({"shop/__init__.py": ""})
    app = create_app("shop", extensions=[])
    if not compiled:
        app.make_response = app.make_response  # type: ignore[method-assign]  # one of its own
    getattr(app, hook)(lambda *answer: sys.exit(3))
    told: list[object] = []
    app.teardown_request(told.append)
    assert app.test_client().get("/").status_code == 500
    assert [type(error) for error in told] == [RuntimeError]
    app.close()


def test_an_exit_at_the_end_is_an_error(package: Package) -> None:
    """Where there is no page for it, the server sees an ordinary exception."""
    package({"shop/__init__.py": ""})
    app = create_app("shop", extensions=[])
    app.teardown_request(lambda error: sys.exit(3))
    with pytest.raises(RuntimeError, match=r"SystemExit\(3\) was raised in a request"):
        app.test_client().get("/")
    app.close()


@pytest.mark.parametrize("hook", ["before_request", "after_request", "teardown_request"])
def test_an_exit_in_a_bare_service_ends_it(hook: str) -> None:
    """As with Flask."""
    app = Service("bare")
    getattr(app, hook)(lambda *answer: sys.exit(3))
    with pytest.raises(SystemExit):
        app.test_client().get("/")


def test_a_property_that_fails_says_why() -> None:
    """An AttributeError inside a property is not taken for a missing property."""

    class Shop(Service):
        @property
        def limit(self) -> int:
            return int(self.config.missing_thing)  # type: ignore[attr-defined]  # on purpose

    with pytest.raises(AttributeError, match="missing_thing"):
        _ = Shop("shop").limit


def test_the_runner_of_commands_boots(package: Package) -> None:
    """Like the test client, it finds a booted application."""
    package({"shop/__init__.py": ""})
    app = GnarApp("shop", production=True, port=0, no_db=True, no_jwt=True)
    app.cli.command("hello")(lambda: click.echo(flask.current_app.config["MODE"]))
    assert app.test_cli_runner().invoke(args=["hello"]).output.endswith("production\n")
    app.close()


def test_run_only_notes_the_application_while_it_is_loaded() -> None:
    """A module that ends in app.run() does not serve when a command loads it."""
    app = Service("bare")
    with recording() as recorded:
        app.run(port=1)
    assert recorded == [app]


@pytest.mark.parametrize(
    "source",
    [
        "from buttress import Service\napp = Service('shop')\n",
        "from buttress import create_app\ndef create_app_(): ...\napp = create_app('shop')\n",
        "from buttress import create_app as make\ndef create_app(): return make('shop')\n",
    ],
)
def test_the_flask_command_finds_it(package: Package, source: str) -> None:
    """flask routes works on a bare service, an application and a factory."""
    folder = package({"shop/__init__.py": "", "site_app.py": source + "\n"})
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "site_app", "routes"],
        cwd=folder, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert (done.returncode, "/static/<path:filename>" in done.stdout) == (0, True), done.stderr
