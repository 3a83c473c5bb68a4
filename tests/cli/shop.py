"""A small application that exists for one test, and the types of the fixtures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from click.testing import Result

Write = Callable[[Mapping[str, str]], Path]
Run = Callable[..., Result]

#: An application in the backend layout, as small as can be.
SHOP = {
    "shop/__init__.py": """
        import buttress

        def create_app(config=None):
            return buttress.create_app(__name__, config=config)
    """,
    "shop/flask.py": """
        from shop import create_app

        app = create_app()
    """,
    "shop/api.py": """
        from flask import Blueprint

        blueprint = Blueprint("goods", __name__, url_prefix="/goods")

        @blueprint.get("/<name>")
        def show(name):
            return {"name": name}
    """,
}
