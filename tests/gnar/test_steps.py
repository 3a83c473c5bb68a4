"""The run steps: their order, and that each can be replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from argon2 import PasswordHasher

from buttress import ExtensionError, SetupError, gnar
from buttress.extension import Extension
from buttress.gnar import RUN_STEPS, GnarApp

from .conftest import Make

#: The step without which the later ones have nothing to work on.
NEEDED = {"configure_flask"}


class Database(Extension[None, dict[str, str]]):
    """Another extension called ``db``."""

    name = "db"

    def build(self, app: object, settings: None) -> dict[str, str]:
        return {"kind": "database"}


def record(app: GnarApp, ran: list[str]) -> None:
    """Replace every step by one that notes its name and then does its work."""
    for name in RUN_STEPS:
        setattr(app, name, recording(name, getattr(app, name), ran))


def recording(name: str, step: Callable[[], object], ran: list[str]) -> Callable[[], None]:
    """Make a step that notes its name and then does its work."""

    def run() -> None:
        ran.append(name)
        step()

    return run


def test_order(make: Make) -> None:
    """The boot runs the steps once, in the order of the Gnar document."""
    app, ran = make(), list[str]()
    record(app, ran)
    app.boot()
    app.boot()
    assert ran == [
        "preconfig",
        "configure_flask",
        "configure_logger",
        "configure_argon2",
        "configure_database",
        "attach_instance",
        "configure_blueprints",
        "configure_errorhandler",
        "configure_jwt",
        "configure_sqs_polls",
        "configure_after_request",
        "postconfig",
    ]


@pytest.mark.parametrize("name", RUN_STEPS)
def test_assigned(make: Make, name: str) -> None:
    """A function that is assigned after construction runs instead of the step, without argument."""
    app, ran = make(), list[str]()
    own = getattr(app, name)
    setattr(app, name, lambda: (ran.append(name), own() if name in NEEDED else None))
    app.boot()
    assert ran == [name]


@pytest.mark.parametrize("name", RUN_STEPS)
@pytest.mark.usefixtures("shop")
def test_subclassed(name: str) -> None:
    """A method of a subclass runs instead of the step, and may call it."""
    ran: list[str] = []

    def step(self: GnarApp) -> None:
        ran.append(name)
        getattr(GnarApp, name)(self)

    app = type("OwnApp", (GnarApp,), {name: step})("shop", True, 80, no_db=True, no_jwt=True)
    app.boot()
    app.close()
    assert ran == [name]


def test_replaced_step_is_skipped(make: Make) -> None:
    """What a replaced step would have done is not done."""
    app = make()
    app.configure_blueprints = lambda: None  # type: ignore[method-assign]  # as documented
    app.boot()
    assert not app.blueprints


def test_assigned_by_an_earlier_step(make: Make) -> None:
    """A step may replace a later one."""
    app, ran = make(), list[str]()

    def preconfig() -> None:
        app.postconfig = lambda: ran.append("replaced")  # type: ignore[method-assign]  # as documented

    app.preconfig = preconfig  # type: ignore[method-assign]  # as documented
    app.boot()
    assert ran == ["replaced"]


def test_own_hasher(make: Make) -> None:
    """The wrappers of passwords go with a hasher that an own step attaches."""
    app = make()

    def configure_argon2() -> None:
        app.argon2 = PasswordHasher(1, 8, 1)

    app.configure_argon2 = configure_argon2  # type: ignore[method-assign]  # as documented
    app.boot()
    hashed = app.generate_password_hash("powder")
    assert hashed.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    asked = [(hashed, "powder"), (hashed, "ice"), (hashed, ""), ("no hash", "powder")]
    assert [app.check_password_hash(*it) for it in asked] == [True, False, False, False]
    with pytest.raises(ValueError, match="Password cannot be empty"):
        app.generate_password_hash("")


def test_own_database(make: Make) -> None:
    """What an own step attaches is what modules find."""
    app = make(no_db=False)
    app.configure_database = lambda: setattr(app, "db", "mine")  # type: ignore[method-assign]  # as documented
    app.boot()
    from shop.main import app as found

    assert found.db == "mine"


def test_no_configuration(make: Make) -> None:
    """A step that replaces the configuration of Flask is told what the others need of it."""
    app = make()
    app.configure_flask = lambda: None  # type: ignore[method-assign]  # as documented
    with pytest.raises(SetupError, match=r"call GnarApp\.configure_flask\(app\) in your own"):
        app.boot()


def test_own_sequence(make: Make) -> None:
    """A subclass may put steps of its own into the sequence."""
    ran: list[str] = []

    class Longer(GnarApp):
        def boot_steps(self) -> list[Callable[[], object]]:
            return [*super().boot_steps(), lambda: ran.append(self.name)]

    app = Longer("shop", True, 80, no_db=True, no_jwt=True)
    app.boot()
    app.close()
    assert ran == ["shop"]


@pytest.mark.parametrize(
    ("more", "extension", "instead"),
    [
        ({"no_db": False}, "db", r"buttress\[db\].*no_db=True"),
        ({"no_jwt": False}, "jwt", r"buttress\[jwt\].*no_jwt=True"),
    ],
)
def test_missing_extension(
    make: Make,
    more: dict[str, Any],
    extension: str,
    instead: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An application that needs what is not there is told what, and what to do."""
    monkeypatch.setitem(gnar.PACKAGES, extension, "no_such_package")
    with pytest.raises(ExtensionError, match=f"needs the extension '{extension}'.*{instead}"):
        make(**more).boot()


def test_replaced_step_needs_no_extension(make: Make) -> None:
    """An application with a database step of its own needs no extension for it."""
    app = make(no_db=False)
    app.configure_database = lambda: None  # type: ignore[method-assign]  # as documented
    app.boot()
    assert app.blueprints


def test_database_step_builds_it(make: Make) -> None:
    """Where there is an extension ``db``, the step builds it; with ``no_db`` nothing does."""
    for without in (False, True):
        app = make(no_db=without)
        assert app.plan is not None
        app.plan = replace(app.plan, extensions=["log", "web", Database])
        app.boot()
        assert (app.slot("db") is None) is without
