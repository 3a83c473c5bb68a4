"""Which blueprints a Gnar app has, and how its modules reach it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from buttress.gnar import GnarApp

from .conftest import Make

#: The documented example of a module.
DOCUMENTED = """\
from flask import Blueprint, jsonify
api_name = 'lift'
url_prefix = '/{}'.format(api_name)
blueprint = Blueprint(api_name, __name__, url_prefix=url_prefix)
@blueprint.route('/get', methods=['GET'])
def lift_get():
    return jsonify({'status': 'ok'})
"""


def test_layout(make: Make, shop: Path) -> None:
    """Only the top folder needs an ``__init__.py``, and what is in ``test`` is not loaded."""
    for name in ("app/north/lift/apis.py", "app/main.py", "test/test_app.py"):
        path = shop / "area" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text({"apis.py": DOCUMENTED, "main.py": ""}.get(path.name, "no Python"))
    (shop / "area/__init__.py").touch()
    assert make("area").test_client().get("/lift/get").json == {"status": "ok"}


def test_scan(make: Make) -> None:
    """Without a list every module below ``app`` is looked at, whatever its name."""
    client = make().test_client()
    found = [client.get(path).json for path in ("/user/get", "/admin")]
    assert found == [{"status": "ok"}, {"status": "admin"}]


@pytest.mark.parametrize(
    ("modules", "expected"),
    [
        ("user", ["user"]),
        ("admin.views", ["admin"]),
        (["user", "admin.views"], ["admin", "user"]),
        (("user",), ["user"]),
        ([], []),
    ],
)
def test_list(make: Make, modules: str | Sequence[str], expected: list[str]) -> None:
    """A name without dot is the ``apis`` of a folder, one with a dot the module itself."""
    app = make(blueprint_modules=modules)
    app.boot()
    assert sorted(app.blueprints) == expected


def test_re_export(make: Make, shop: Path) -> None:
    """A blueprint that a second module imports is still one blueprint."""
    again = shop / "shop" / "app" / "again.py"
    again.write_text("from shop.app.user.apis import blueprint\n", encoding="utf-8")
    app = make()
    app.boot()
    assert sorted(app.blueprints) == ["admin", "user"]


@pytest.mark.parametrize("name", ["shop.app.main", "shop.main"])
def test_instance(make: Make, name: str) -> None:
    """Both documented imports give the application."""
    app = make()
    app.boot()
    found = __import__(name, fromlist=["app"]).app
    assert found._get_current_object() is app


def test_instance_in_a_module(
    package: Callable[[Mapping[str, str]], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    """A module that discovery loads can import the application, and is loaded once."""
    package(
        {
            "slope/app/main.py": "print('main is run')",
            "slope/app/user/services.py": "from slope.app.main import app\nNAME = app.name",
        }
    )
    app = GnarApp("slope", True, 80, no_db=True, no_jwt=True)
    app.boot()
    app.close()
    assert __import__("slope.app.user.services", fromlist=["NAME"]).NAME == "slope"
    assert capfd.readouterr().out.count("main is run") == 1


def test_two_apps(make: Make, package: Callable[[Mapping[str, str]], Path]) -> None:
    """Two applications in one process have their own names, settings and blueprints."""
    package({"slope/app/main.py": "", "slope/settings.py": "SNOW = 120\n"})
    shop, slope = make(port=8001), make("slope", port=8002, env_prefix="SLOPE")
    shop.boot()
    slope.boot()
    assert (sorted(shop.blueprints), sorted(slope.blueprints)) == (["admin", "user"], [])
    assert (shop.config["PORT"], slope.config["PORT"]) == (8001, 8002)
    assert "SNOW" not in shop.config
    from shop.app.main import app as first
    from slope.app.main import app as second

    assert (first.name, second.name) == ("shop", "slope")


def test_two_apps_of_one_package(make: Make) -> None:
    """Inside a context the import is the current application, outside the last booted one."""
    older, newer = make(), make()
    older.boot()
    newer.boot()
    from shop.app.main import app

    assert app._get_current_object() is newer
    with older.app_context():
        assert app._get_current_object() is older
