"""A worker takes no request before its database is there and its schema is current."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from buttress import Service, SetupError, create_app
from buttress.db import Location
from tests.databases import fresh_database
from tests.db.conftest import EXTENSIONS
from tests.private import private_server

MIGRATION = """
    from alembic import op

    revision, down_revision = "{name}", {after}


    def upgrade():
        op.execute("{sql}")


    def downgrade():
        op.execute("DROP TABLE {name}")
    """

Shop = Callable[..., Service]


def migration(name: str, after: str | None = None, sql: str | None = None) -> dict[str, str]:
    """Write a migration that makes a table of its name."""
    text = MIGRATION.format(
        name=name, after=repr(after), sql=sql or f"CREATE TABLE {name} (id INTEGER)"
    )
    return {f"shop/migrations/versions/{name}.py": text}


@pytest.fixture
def shop(package: Callable[[Mapping[str, str]], Path]) -> Iterator[Shop]:
    """Give a function that makes the service ``shop`` with migrations."""
    made: list[Service] = []

    def make(files: Mapping[str, str], **config: object) -> Service:
        root = package({"shop/__init__.py": "", **files})
        for folder in (root / "shop/migrations", root / "shop/migrations/versions"):
            (folder / "__init__.py").unlink(missing_ok=True)
        app = create_app("shop", extensions=EXTENSIONS, config={"MODE": "testing", **config})
        app.config["PROPAGATE_EXCEPTIONS"] = False
        app.add_url_rule("/", "index", lambda: "hello")
        made.append(app)
        return app

    yield make
    for app in made:
        app.close()


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[str]:
    """Give the URL of an empty database on PostgreSQL."""
    with fresh_database("postgres", tmp_path) as url:
        yield url


def eventually(holds: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Wait until something holds, and tell whether it does."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


def test_sqlite_upgrades_itself(shop: Shop) -> None:
    """A service on SQLite has its tables when it takes the first request."""
    app = shop(migration("lift"))
    assert app.test_client().get("/").status_code == 200
    assert app.db.all("SELECT * FROM lift") == []


def test_another_database_is_not_touched(shop: Shop, postgres: str) -> None:
    """Elsewhere it answers 503 and says why, until somebody has run the migrations."""
    app = shop(migration("lift"), DB_URL=postgres)
    client = app.test_client()
    refused = client.get("/")
    assert (refused.status_code, refused.json["detail"]) == (503, "The database is not ready.")
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert "buttress db upgrade" in ready.get_json()["obstacles"]["db"]
    assert client.get("/__heartbeat__").get_json()["checks"]["db"]["status"] == "error"
    app.db.migrations.upgrade()
    assert eventually(lambda: client.get("/readyz").status_code == 200)
    assert client.get("/").status_code == 200


def test_upgrade_where_it_is_asked_for(shop: Shop, postgres: str) -> None:
    """With DB_MIGRATE=upgrade a worker runs them wherever it is."""
    app = shop(migration("lift"), DB_URL=postgres, DB_MIGRATE="upgrade")
    assert app.test_client().get("/").status_code == 200


def test_newer_code_was_here(shop: Shop, postgres: str) -> None:
    """A database that is ahead of the code, as in a rolling update, is served."""
    app = shop(migration("lift"), DB_URL=postgres)
    app.db.migrations.upgrade()
    app.db.run("UPDATE alembic_version SET version_num = 'later'")
    assert app.test_client().get("/").status_code == 200


def test_a_failed_migration_does_not_start(shop: Shop, url: str) -> None:
    """A migration that fails keeps the service from starting."""
    app = shop(
        migration("lift") | migration("piste", "lift", "CREATE nonsense"),
        DB_URL=url,
        DB_MIGRATE="upgrade",
    )
    with pytest.raises(sa.exc.DBAPIError, match="nonsense"):
        app.start()
    assert app.lifecycle.state == "failed"


def test_a_failed_migration_of_a_late_database(shop: Shop) -> None:
    """Where a migration fails once the database is there, that is what stands in the way."""
    app = shop(migration("lift", sql="CREATE nonsense"))
    with pytest.raises(sa.exc.DBAPIError):
        app.db.guard._step()
    assert app.db.guard.obstacle == "The database cannot be brought up to date: the log says why."


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_failed_migration_leaves_nothing(shop: Shop, kind: str, tmp_path: Path) -> None:
    """Where the database can take back changes of tables, none stays of a failed upgrade."""
    with fresh_database(kind, tmp_path) as url:
        files = migration("lift") | migration("piste", "lift", "CREATE nonsense")
        app = shop(files, DB_URL=url)
        with pytest.raises(sa.exc.DBAPIError):
            app.db.migrations.upgrade()
        assert sa.inspect(app.db.engine).get_table_names() == []


def test_a_database_that_comes_later(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that starts before its database is alive and not ready, and then is ready."""
    with private_server("postgres", monkeypatch) as server:
        server.stop()
        app = shop({}, DB_URL=server.url)
        client = app.test_client()
        assert [client.get(path).status_code for path in ("/", "/livez", "/readyz")] == [
            503,
            200,
            503,
        ]
        server.start()
        assert eventually(lambda: client.get("/readyz").status_code == 200)
        assert client.get("/").status_code == 200


def test_a_database_that_must_be_there(shop: Shop) -> None:
    """Where the settings say so, a worker ends that cannot reach its database."""
    app = shop({}, DB_URL="postgresql://me:geheim@127.0.0.1:9/x", DB_AT_START="refuse")
    with pytest.raises(SetupError, match="127.0.0.1:9/x does not answer") as caught:
        app.start()
    assert "geheim" not in str(caught.value)


def test_only_what_is_behind_is_upgraded(shop: Shop, tmp_path: Path) -> None:
    """A location that is ahead, after a step back, does not keep another from its migrations."""
    app = shop(migration("lift"), DB_MIGRATE="upgrade")
    app.db.migrations.upgrade()
    app.db.run("UPDATE alembic_version SET version_num = 'later'")
    versions = tmp_path / "snow"
    versions.mkdir()
    (text,) = migration("snow").values()
    (versions / "snow.py").write_text(textwrap.dedent(text))
    app.db.migrations.locations.append(Location("snow", versions, "buttress_snow_version"))
    assert app.test_client().get("/").status_code == 200
    assert app.db.all("SELECT * FROM snow") == []
