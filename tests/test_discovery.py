"""Discovery: every module once, every blueprint once, every mark collected."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from buttress import Extension, LifecycleError, Service, create_app
from buttress.discovery import module_names
from buttress.errors import DiscoveryError

Package = Callable[[Mapping[str, str]], Path]

BLUEPRINT = """
from flask import Blueprint
blueprint = Blueprint({name!r}, __name__, url_prefix="/{name}")
@blueprint.get("/")
def index():
    return {{"from": __name__}}
"""


def area(name: str) -> str:
    return BLUEPRINT.format(name=name)


def make(**options: Any) -> Service:
    return create_app("shop", extensions=options.pop("extensions", []), **options)


def test_every_blueprint_below_app_is_registered(package: Package) -> None:
    """Folders without __init__.py are scanned too, as the Gnar document draws them."""
    root = package(
        {
            "shop/app/main.py": "",
            "shop/app/user/apis.py": area("user"),
            "shop/app/admin/deep/apis.py": area("admin"),
        }
    )
    (root / "shop/app/admin/deep/__init__.py").unlink()
    (root / "shop/app/admin/__init__.py").unlink()
    client = make().test_client()
    assert client.get("/user/").json == {"from": "shop.app.user.apis"}
    assert client.get("/admin/").json == {"from": "shop.app.admin.deep.apis"}


def test_without_an_app_folder_the_package_is_scanned(package: Package) -> None:
    """The other layout leaves out what is no handler."""
    broken = "raise RuntimeError('must not be imported')"
    package(
        {
            "shop/__init__.py": "",
            "shop/api.py": area("api"),
            "shop/flask.py": broken,
            "shop/__main__.py": broken,
            "shop/tests/test_api.py": broken,
            "shop/migrations/env.py": broken,
            "shop/conftest.py": broken,
            "shop/test_api.py": broken,
        }
    )
    assert make().test_client().get("/api/").status_code == 200


def test_no_module_is_executed_twice(package: Package) -> None:
    """Modules that import each other, and the app, run once."""
    count = (
        "import builtins\nbuiltins.shop_runs = getattr(builtins, 'shop_runs', []) + [__name__]\n"
    )
    package(
        {
            "shop/app/__init__.py": count,
            "shop/app/main.py": count,
            "shop/app/user/apis.py": count
            + "from shop.app.main import app\nfrom shop.app.user import services",
            "shop/app/user/services.py": count + "from shop.app.main import app",
        }
    )
    make()
    import builtins

    runs = builtins.__dict__.pop("shop_runs")
    assert sorted(runs) == [
        "shop.app",
        "shop.app.main",
        "shop.app.user.apis",
        "shop.app.user.services",
    ]


def test_a_re_export_is_not_a_second_blueprint(package: Package) -> None:
    """The same object under two modules is registered once."""
    package(
        {
            "shop/app/main.py": "",
            "shop/app/user/apis.py": area("user"),
            "shop/app/user/views.py": "from shop.app.user.apis import blueprint",
        }
    )
    assert list(make().blueprints) == ["user"]


def test_two_blueprints_of_one_name_are_refused(package: Package) -> None:
    """The message names both modules."""
    package({"shop/app/a.py": area("user"), "shop/app/b.py": area("user")})
    with pytest.raises(
        DiscoveryError, match=r"'user', in shop\.app\.a and in shop\.app\.b: rename"
    ):
        make()


NESTING = """
from flask import Blueprint, abort
from shop.app.api.users import blueprint as users
blueprint = Blueprint("api", __name__, url_prefix="/api")
blueprint.before_request(lambda: abort(403))
blueprint.register_blueprint(users)
"""


@pytest.mark.parametrize("parent", ["shop/app/api/__init__.py", "shop/app/zoo.py"])
def test_a_nested_blueprint_keeps_its_parents_guard(package: Package, parent: str) -> None:
    """It is reached below its parent only, whichever of the two is imported first."""
    package({"shop/app/main.py": "", "shop/app/api/users.py": area("users"), parent: NESTING})
    app = make()
    client = app.test_client()
    assert list(app.blueprints) == ["api", "api.users"]
    assert [client.get(path).status_code for path in ("/api/users/", "/users/")] == [403, 404]


def test_a_blueprint_that_was_registered_by_hand_is_left_alone(package: Package) -> None:
    """What main.py registers itself is not registered a second time."""
    by_hand = (
        "from shop.app.user import blueprint\napp.register_blueprint(blueprint, url_prefix='/x')"
    )
    package({"shop/app/main.py": by_hand, "shop/app/user.py": area("user")})
    assert make().test_client().get("/x/").status_code == 200


def test_something_else_named_blueprint_is_refused(package: Package) -> None:
    """A module-global blueprint that is none is a mistake."""
    package({"shop/app/a.py": "blueprint = 'user'"})
    with pytest.raises(DiscoveryError, match=r"shop\.app\.a has no flask\.Blueprint"):
        make()


def test_blueprints_are_logged_with_their_prefix(
    package: Package, caplog: pytest.LogCaptureFixture
) -> None:
    """The start-up log says where the service listens."""
    package({"shop/app/a.py": area("user")})
    with caplog.at_level(logging.INFO, "buttress.discovery"):
        make()
    assert "Listening on /user" in caplog.messages


@pytest.mark.parametrize("chosen", ["user", ["user"], ("user",), ["admin.views", "user"]])
def test_listed_modules_use_two_formats(package: Package, chosen: Any) -> None:
    """A plain name means its apis module, a dotted one itself."""
    package(
        {
            "shop/app/main.py": "",
            "shop/app/user/apis.py": area("user"),
            "shop/app/admin/views.py": area("admin"),
            "shop/app/other.py": "raise OSError",
        }
    )
    assert "user" in make(blueprint_modules=chosen).blueprints


def test_listed_modules_of_a_plain_package(package: Package) -> None:
    """Without a folder app, the same formats are relative to the package."""
    package({"shop/__init__.py": "", "shop/user/apis.py": area("user")})
    assert list(make(blueprint_modules="user").blueprints) == ["user"]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (["user", "user"], "names 'user' twice"),
        ([3], "3 is no module name"),
        (["a b"], "'a b' is no module name"),
        (["lost"], r"shop\.app\.lost\.apis does not load"),
        (["plain"], r"shop\.app\.plain\.apis has no flask\.Blueprint"),
    ],
)
def test_a_wrong_list_is_refused(package: Package, chosen: Any, message: str) -> None:
    """Each mistake in the list has its sentence."""
    package(
        {
            "shop/app/main.py": "",
            "shop/app/user/apis.py": area("user"),
            "shop/app/plain/apis.py": "",
        }
    )
    with pytest.raises(DiscoveryError, match=message):
        make(blueprint_modules=chosen)


@pytest.mark.parametrize(
    "fault",
    ["raise OSError('no disk')", "def broken(:", "import nowhere_at_all", "raise SystemExit(3)"],
)
def test_a_broken_module_stops_the_boot_in_production(package: Package, fault: str) -> None:
    """The message names the module, the error and the place."""
    package({"shop/app/main.py": "", "shop/app/bad.py": fault})
    with pytest.raises(DiscoveryError, match=r"shop\.app\.bad does not load: \w+.*bad\.py"):
        make()


def test_a_broken_module_is_logged_in_development(
    package: Package, caplog: pytest.LogCaptureFixture
) -> None:
    """The others serve, and the traceback is in the log."""
    package({"shop/app/bad.py": "raise OSError('no disk')", "shop/app/good.py": area("user")})
    app = make(config={"MODE": "development"})
    assert app.test_client().get("/user/").status_code == 200
    assert list(app.broken) == ["shop.app.bad"]
    assert "no disk" in app.broken["shop.app.bad"]
    record = next(each for each in caplog.records if "shop.app.bad" in each.message)
    assert record.exc_info is not None


def test_a_module_that_makes_an_application_is_refused(package: Package) -> None:
    """A nested boot is an error that names the way out."""
    package(
        {"shop/app/bad.py": "from buttress import create_app\ncreate_app('shop', extensions=[])"}
    )
    with pytest.raises(LifecycleError, match=r"shop would boot inside the boot of shop.*__main__"):
        make()


def test_a_blueprint_that_cannot_be_registered_is_named(package: Package) -> None:
    """What fails at registration is a mistake of that module."""
    twice = area("user") + "blueprint.add_url_rule('/a', 'index', lambda: 'another')\n"
    package({"shop/app/main.py": "", "shop/app/user.py": twice})
    with pytest.raises(DiscoveryError, match=r"shop\.app\.user: AssertionError.*user\.index"):
        make()


def test_a_link_to_a_folder_above_is_not_followed(package: Package) -> None:
    """A circle of symbolic links ends where it began."""
    root = package({"shop/app/main.py": "", "shop/app/user/apis.py": area("user")})
    (root / "shop/app/user/loop").symlink_to(root / "shop/app/user")
    assert module_names(make())[2:] == ["shop.app.user", "shop.app.user.apis"]


def test_an_object_that_answers_everything_is_no_mark(package: Package) -> None:
    """A proxy in a module is not asked for marks."""
    package({"shop/app/a.py": """
        class Peers:
            def __getattr__(self, name):
                return lambda *arguments: arguments
        peers = Peers()
        peers.__module__ = __name__
    """})  # fmt: skip
    assert make().marked == []


QUEUES = type("Queues", (Extension,), {"name": "queues", "build": lambda self, app, settings: {}})

MARKED = """
from buttress import consumer
@consumer("snow", parallel=2)
def ingest(message): ...
"""


def test_marked_functions_are_collected_once(package: Package) -> None:
    """An imported marked function belongs to the module that defines it."""
    package(
        {"shop/app/a.py": MARKED, "shop/app/b.py": "from shop.app.a import ingest\nalias = ingest"}
    )
    app = make(extensions=[QUEUES])
    assert [
        (each.function.__name__, each.mark.kind, each.mark.arguments) for each in app.marked
    ] == [("ingest", "consumer", {"queue": "snow", "parallel": 2})]


def test_a_mark_that_nothing_takes_up_is_refused(package: Package) -> None:
    """A consumer without queues would silently never run."""
    package({"shop/app/a.py": MARKED})
    with pytest.raises(DiscoveryError, match=r"shop\.app\.a\.ingest is marked @consumer.*'queues'"):
        make()


def test_late_registration_is_refused(package: Package) -> None:
    """Once it serves, the sentence says where to register."""
    package({"shop/app/a.py": area("user")})
    app = make()
    app.add_url_rule("/early", view_func=lambda: "ok", endpoint="early")
    assert app.test_client().get("/early").data == b"ok"
    with pytest.raises(
        LifecycleError, match=r"so add_url_rule\(\) comes too late: register before"
    ):
        app.add_url_rule("/late", view_func=lambda: "ok", endpoint="late")
