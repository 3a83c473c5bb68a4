"""``buttress db``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import project, run
from tests.cli.shop import Run, Write

__all__ = ["project", "run"]

MAIN = """
    from buttress import create_app

    app = create_app("shop", extensions=["log", "db"], config={"LOG_LEVEL": "ERROR"})
    """
MODELS = """
    from sqlalchemy.orm import Mapped, mapped_column

    from shop.main import app


    class Lift(app.db.Model):
        __tablename__ = "lift"
        id: Mapped[int] = mapped_column(primary_key=True)
    """


@pytest.fixture
def shop(project: Write) -> Path:
    """Write an application with one model."""
    return project({"shop/main.py": MAIN, "shop/models.py": MODELS})


def test_from_nothing_to_tables(shop: Path, run: Run) -> None:
    """Init, migrate, upgrade, current and downgrade, as a user goes through them."""
    assert run("db", "init").output.startswith("made ")
    assert run("db", "migrate", "-m", "lifts").output.startswith("wrote ")
    behind = run("db", "current")
    assert (behind.exit_code, behind.output.split()[-1]) == (1, "behind")
    assert run("db", "upgrade").output.split()[-1] == "current"
    assert run("db", "current").exit_code == 0
    assert run("db", "migrate", "-m", "again").output.startswith("the database is as the models")
    assert run("db", "downgrade", "-1").output.split()[-1] == "behind"


def test_init_twice(shop: Path, run: Run) -> None:
    """A folder that is there is left alone."""
    run("db", "init")
    again = run("db", "init")
    assert (again.exit_code, "is there already" in again.output) == (2, True)


def test_migrate_without_a_folder(shop: Path, run: Run) -> None:
    """Without migrations the command says how to begin."""
    result = run("db", "migrate", "-m", "lifts")
    assert (result.exit_code, "buttress db init" in result.output) == (2, True)


def test_a_database_that_does_not_answer(shop: Path, run: Run) -> None:
    """A database that is down is one sentence, without a traceback or a password."""
    run("db", "init")
    result = run("db", "current", "--set", "DB_URL=postgresql://me:geheim@127.0.0.1:9/x")
    assert result.exit_code == 1
    assert "Error: The database does not answer" in result.output
    assert "geheim" not in result.output


def test_an_application_without_a_database(project: Write, run: Run) -> None:
    """An application that has no database is told so."""
    project({"shop/main.py": 'from buttress import create_app\n\napp = create_app("shop")\n'})
    result = run("db", "current")
    assert (result.exit_code, "has no 'db'" in result.output) == (2, True)


def test_without_its_package(shop: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without SQLAlchemy the command names the extra to install."""
    for module in ("sqlalchemy", "buttress.db.cli"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    result = run("db", "upgrade", "--location", "app")
    assert (result.exit_code, "buttress[db]" in result.output) == (2, True)


def test_two_ends(shop: Path, run: Run) -> None:
    """Who finds two ends is told of the command that joins them."""
    run("db", "init")
    for name in ("one", "two"):
        text = f'revision, down_revision = "{name}", None\n\n\ndef upgrade():\n    pass\n'
        Path(f"shop/migrations/versions/{name}.py").write_text(text)
    run("db", "upgrade")
    refused = run("db", "migrate", "-m", "lifts")
    assert (refused.exit_code, "buttress db merge" in refused.output) == (2, True)
    assert run("db", "merge", "-m", "both").output.startswith("wrote ")
    assert run("db", "upgrade").output.split()[-1] == "current"
    assert run("db", "merge").output.startswith("the migrations have one end already")
    assert run("db", "migrate", "-m", "lifts").output.startswith("wrote ")
