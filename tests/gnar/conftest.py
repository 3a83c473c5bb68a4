"""A small package in Gnar Gear's layout, and Gnar apps of it that are closed after the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from buttress.gnar import GnarApp

#: A module with a blueprint, and a route that fails.
USER = """
    from flask import Blueprint

    blueprint = Blueprint("user", __name__, url_prefix="/user")

    @blueprint.get("/get")
    def user_get():
        return {"status": "ok"}

    @blueprint.get("/fail")
    def user_fail():
        raise RuntimeError("the piste map is gone")
"""
ADMIN = """
    from flask import Blueprint

    blueprint = Blueprint("admin", __name__, url_prefix="/admin")

    @blueprint.get("")
    def admin():
        return {"status": "admin"}
"""
SHOP = {
    "shop/app/main.py": "",
    "shop/app/user/apis.py": USER,
    "shop/app/admin/views.py": ADMIN,
}

Make = Callable[..., GnarApp]


@pytest.fixture
def shop(package: Callable[[Mapping[str, str]], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the package ``shop`` and give the folder that holds it, which is the current one."""
    folder = package(SHOP)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def make(shop: Path) -> Iterator[Make]:
    """Give a function that makes a GnarApp of ``shop`` without database and JWT."""
    made: list[GnarApp] = []

    def make(name: str = "shop", production: bool = True, port: int = 8000, **more: Any) -> GnarApp:
        made.append(GnarApp(name, production, port, **({"no_db": True, "no_jwt": True} | more)))
        return made[-1]

    yield make
    for app in made:
        app.close()
