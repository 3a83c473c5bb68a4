from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from flask import render_template

from buttress import ConfigError, Service
from buttress.web.settings import TemplatesSettings
from buttress.web.templates import TemplatesExtension
from tests.services import Make

Package = Callable[[Mapping[str, str]], Path]


def page(app: Service, **context: str) -> str:
    """Render ``page.html`` of a service."""
    with app.test_request_context():
        return render_template("page.html", **context)


def test_own_folder(make: Make, package: Package) -> None:
    """The folder of the application's package is found, as Flask does."""
    root = package({"shop/templates/page.html": "own"})
    app = make()
    assert page(app) == "own"
    assert app.templates.folder == root / "shop" / "templates"


def test_no_folder(make: Make) -> None:
    """An application without templates has none, and no error."""
    assert make().templates.folder is None


@pytest.mark.parametrize("key", ["APP_TEMPLATES_FOLDER", "TEMPLATES_FOLDER"])
def test_folder_by_setting(make: Make, package: Package, key: str) -> None:
    """A folder that is set, relative to the package, takes the place of Flask's."""
    package({"shop/templates/page.html": "own", "shop/pages/page.html": "set"})
    assert page(make(**{key: "pages"})) == "set"


def test_folder_by_setting_after_a_look(make: Make, package: Package) -> None:
    """The folder is changed for an application whose templates were looked for before."""
    package({"shop/templates/page.html": "own", "shop/pages/page.html": "set"})
    app = make(extensions=[])
    assert page(app) == "own"
    TemplatesExtension().build(app, TemplatesSettings(folder="pages"))
    app.jinja_env.cache.clear()
    assert page(app) == "set"


def test_absolute_folder(make: Make, tmp_path: Path) -> None:
    """An absolute folder is taken as it is."""
    (tmp_path / "page.html").write_text("absolute")
    assert page(make(TEMPLATES_FOLDER=str(tmp_path))) == "absolute"


def test_missing_folder(make: Make) -> None:
    """A folder that is set and missing stops the boot and is named."""
    with pytest.raises(ConfigError, match="TEMPLATES_FOLDER: there is no folder .*/nowhere"):
        make(TEMPLATES_FOLDER="nowhere")


def test_values_are_escaped(make: Make, package: Package) -> None:
    """A value on a page cannot become markup."""
    package({"shop/templates/page.html": "{{ name }}"})
    assert page(make(), name="<b>") == "&lt;b&gt;"


@pytest.mark.parametrize(("mode", "expected"), [("development", "new"), ("production", "old")])
def test_reload_in_development(make: Make, package: Package, mode: str, expected: str) -> None:
    """A template that changes is read again in development only."""
    root = package({"shop/templates/page.html": "old"})
    app = make(MODE=mode)
    assert page(app) == "old"
    (root / "shop" / "templates" / "page.html").write_text("new")
    assert page(app) == expected
