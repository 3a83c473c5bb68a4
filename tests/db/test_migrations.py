"""Migrations: several locations, one process at a time."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from buttress import Service, SetupError, create_app
from buttress.db import Location, for_writing
from buttress.db.environment.steps import _lock
from tests.databases import fresh_database
from tests.db.conftest import EXTENSIONS
from tests.db.test_guard import Shop, eventually, migration, shop

__all__ = ["shop"]


def test_up_and_down(shop: Shop, url: str) -> None:
    """Migrations are run and taken back, in part too."""
    app = shop(migration("lift") | migration("piste", "lift"), DB_URL=url, DB_MIGRATE="off")
    tables = lambda: set(sa.inspect(app.db.engine).get_table_names()) - {"alembic_version"}  # noqa: E731  # short
    app.db.migrations.upgrade("app", "lift")
    assert (tables(), app.db.migrations.behind()) == ({"lift"}, ["app"])
    app.db.migrations.upgrade()
    assert (tables(), app.db.migrations.behind()) == ({"lift", "piste"}, [])
    app.db.migrations.downgrade("-1")
    assert tables() == {"lift"}
    app.db.migrations.downgrade("base")
    assert tables() == set()


def test_each_location_has_its_own_versions(shop: Shop, url: str, tmp_path: Path) -> None:
    """The tables of an extension come and go by themselves."""
    app = shop(migration("lift"), DB_URL=url, DB_MIGRATE="off")
    versions = tmp_path / "snow"
    versions.mkdir()
    text = (tmp_path / "shop/migrations/versions/lift.py").read_text()
    (versions / "snow.py").write_text(text.replace("lift", "snow"))
    app.db.migrations.locations.append(Location("snow", versions, "buttress_snow_version"))
    app.db.migrations.upgrade("snow")
    assert app.db.migrations.behind() == ["app"]
    app.db.migrations.upgrade()
    app.db.migrations.downgrade("base", "snow")
    assert app.db.migrations.behind() == ["snow"]


def test_a_migration_of_the_models(shop: Shop, url: str) -> None:
    """A migration is written from the models, runs, and then there is nothing to write."""
    app = shop(migration("lift"), DB_URL=url, DB_MIGRATE="off")

    class Piste(app.db.Model):  # type: ignore[name-defined,misc]  # a base that is made at run time
        __tablename__ = "piste"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(sa.String(20), unique=True)

    with pytest.raises(SetupError, match="buttress db upgrade"):
        app.db.migrations.revise("pistes")
    app.db.migrations.upgrade()
    app.db.run("CREATE TABLE buttress_other (id INTEGER)")
    written = app.db.migrations.revise("pistes")
    assert written is not None
    text = written.read_text("utf-8")
    assert "create_table('piste'" in text
    assert "buttress_other" not in text
    app.db.migrations.upgrade()
    assert app.db.migrations.revise("again") is None
    app.db.run("INSERT INTO piste (id, name) VALUES (1, 'verte')")
    app.db.migrations.downgrade("-1")
    assert "piste" not in sa.inspect(app.db.engine).get_table_names()


def test_any_message(shop: Shop) -> None:
    """A message may hold what means something in Python."""
    app = shop(migration("lift"))
    app.db.migrations.upgrade()
    written = app.db.migrations.revise('no "C:\\new" """here', empty=True)
    assert written is not None
    assert (ast.get_docstring(ast.parse(written.read_text("utf-8"))) or "").startswith(
        'no "C:\\new" """here.\n'
    )


def test_an_index_that_is_built_concurrently(shop: Shop, tmp_path: Path) -> None:
    """A migration may leave its transaction for a while, and still is the only one at work."""
    files = migration("lift")
    (path,) = files
    files[path] = files[path].replace(
        "\n\n    def downgrade",
        """
        with op.get_context().autocommit_block():
            op.execute("CREATE INDEX CONCURRENTLY by_id ON lift (id)")
        op.execute(
            "CREATE TABLE held AS SELECT count(*) AS locks FROM pg_locks "
            "WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()"
        )


    def downgrade""",
    )
    with fresh_database("postgres", tmp_path) as url:
        app = shop(files, DB_URL=url)
        app.db.migrations.upgrade()
        assert app.db.one("SELECT locks FROM held") == 1
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database ="
        database = "(SELECT oid FROM pg_database WHERE datname = current_database())"
        assert eventually(lambda: app.db.one(f"{locks} {database}") == 0)
        app.close()


def test_two_services_at_once(package: Callable[[Mapping[str, str]], Path]) -> None:
    """Two services of one process that migrate in two threads do not mix."""
    made = []
    for name in ("one", "two"):
        files = {}
        for text in (migration(f"{name}a"), migration(f"{name}b", f"{name}a")):
            files |= {path.replace("shop", name): it for path, it in text.items()}
        package({f"{name}/__init__.py": "", **files})
        made.append(create_app(name, extensions=EXTENSIONS, config={"MODE": "testing"}))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda app: app.db.migrations.upgrade(), made))
    assert [app.db.migrations.behind() for app in made] == [[], []]
    for app in made:
        app.close()


def test_after_what_is_not_there(shop: Shop) -> None:
    """A migration that comes after one that is not there is named in a sentence."""
    app = shop(migration("lift", "gone"))
    with (
        pytest.warns(UserWarning, match="gone"),
        pytest.raises(SetupError, match="after 'gone'"),
    ):
        app.db.migrations.behind()


def test_two_ends(shop: Shop) -> None:
    """Where two people have each added one, the next says how to join them."""
    app = shop(migration("lift") | migration("piste"))
    app.db.migrations.upgrade()
    with pytest.raises(SetupError, match="end in .* and in .*: join them by buttress db merge"):
        app.db.migrations.revise("more")


def test_no_such_location(app: Service) -> None:
    """A location that is not there is named, with what to do."""
    with pytest.raises(SetupError, match="no location 'app' of migrations. Make it: buttress db"):
        app.db.migrations.downgrade("base")


def test_no_such_revision(shop: Shop) -> None:
    """A revision that is not there is an error of one sentence."""
    with pytest.raises(SetupError, match="Migrations of app: Can't locate revision"):
        shop(migration("lift")).db.migrations.upgrade("app", "nowhere")


def test_beside_the_package(package: Callable[[Mapping[str, str]], Path]) -> None:
    """Migrations beside the package, as backend_common has them, are found too."""
    root = package({"shop/__init__.py": ""})
    (root / "migrations/versions").mkdir(parents=True)
    app = create_app("shop", extensions=EXTENSIONS, config={"MODE": "testing"})
    assert [it.name for it in app.db.migrations.locations] == ["app"]
    app.close()


REBUILT = """
    import sqlalchemy as sa
    from alembic import op

    revision, down_revision = "station", "lift"


    def upgrade():
        with op.batch_alter_table("lift") as lift:
            lift.alter_column("id", type_=sa.String(9))
    """
DELETED = """
    from alembic import op

    revision, down_revision = "station", "lift"


    def upgrade():
        op.execute("DELETE FROM lift")
    """


def with_rides(shop: Shop, text: str) -> Service:
    """Give a service on SQLite whose second migration is to come, with a row that refers to one."""
    path = "shop/migrations/versions/station.py"
    app = shop(migration("lift", sql="CREATE TABLE lift (id INTEGER PRIMARY KEY)") | {path: text})
    app.db.migrations.upgrade("app", "lift")
    app.db.run("CREATE TABLE ride (lift INTEGER REFERENCES lift(id) ON DELETE CASCADE)")
    app.db.run("INSERT INTO lift VALUES (1)")
    app.db.run("INSERT INTO ride VALUES (1)")
    return app


def test_a_table_that_is_made_anew(shop: Shop) -> None:
    """SQLite makes a table anew to change it; what refers to its rows stays."""
    app = with_rides(shop, REBUILT)
    app.db.migrations.upgrade()
    assert app.db.one("SELECT count(*) FROM ride") == 1
    assert app.db.one("PRAGMA foreign_keys") == 1


def test_rows_that_refer_to_none(shop: Shop) -> None:
    """A migration on SQLite that leaves rows which refer to none is refused, and undone."""
    app = with_rides(shop, DELETED)
    with pytest.raises(SetupError, match=r"refer to none \(1 of ride\)"):
        app.db.migrations.upgrade()
    assert app.db.all("SELECT id FROM lift") == [1]
    assert app.db.migrations.behind() == ["app"]


def test_a_reference_to_no_key(shop: Shop) -> None:
    """A reference that was wrong before keeps no migration from being run."""
    app = with_rides(shop, REBUILT)
    app.db.run("CREATE TABLE odd (lift INTEGER REFERENCES ride(lift))")
    app.db.migrations.upgrade()
    assert app.db.migrations.behind() == []


def test_a_migration_in_memory(shop: Shop) -> None:
    """A database in memory, whose connection stays, has its foreign keys again afterwards."""
    app = shop(migration("lift"), DB_URL="sqlite://")
    app.db.migrations.upgrade()
    assert app.db.one("PRAGMA foreign_keys") == 1


MADE = """
    import sqlalchemy as sa
    from alembic import op

    revision, down_revision = "lift", None


    def upgrade():
        op.create_table("lift", sa.Column("id", sa.Integer))
        op.execute("CREATE TABLE IF NOT EXISTS piste (id INTEGER)")
        op.create_table("slope", sa.Column("id", sa.Integer))
        op.rename_table("slope", "run")
    """


def test_tables_of_others(shop: Shop, url: str) -> None:
    """A migration drops the tables that older ones made, and none that others keep there."""
    app = shop({"shop/migrations/versions/lift.py": MADE}, DB_URL=url, DB_MIGRATE="off")
    app.db.migrations.upgrade()
    app.db.run("CREATE TABLE invoice (id INTEGER)")
    written = app.db.migrations.revise("less")
    assert written is not None
    up = written.read_text("utf-8").partition("def downgrade")[0]
    assert [name for name in ("lift", "piste", "run") if f"drop_table('{name}')" in up] == [
        "lift",
        "piste",
        "run",
    ]
    assert "invoice" not in up


def test_two_ends_are_joined(shop: Shop) -> None:
    """A merge is a migration after both."""
    app = shop(migration("lift") | migration("piste"))
    written = app.db.migrations.merge("both")
    assert written is not None
    assert "revision = ('lift', 'piste')" in written.read_text("utf-8").replace(
        "piste', 'lift", "lift', 'piste"
    )
    app.db.migrations.upgrade()
    assert app.db.migrations.behind() == []
    assert app.db.migrations.merge("again") is None


def test_another_process_migrates(shop: Shop, url: str) -> None:
    """Who waits too long for another process is told so in a sentence."""
    app = shop(migration("lift"), DB_URL=url, DB_MIGRATE="off", DB_MIGRATE_TIMEOUT=0.05)
    with for_writing(app.db.engine).connect() as other:
        _lock(other, "alembic_version", 1)
        with other.begin(), pytest.raises(SetupError, match="Another process migrates, or writes"):
            app.db.migrations.upgrade()
        other.invalidate()
    app.db.migrations.upgrade()
    assert app.db.migrations.behind() == []


def test_what_is_ahead_is_told_once(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """A database with migrations that the code does not know is told of in the log."""
    app = shop(migration("lift"))
    app.db.migrations.upgrade()
    app.db.run("UPDATE alembic_version SET version_num = 'later'")
    assert [app.db.migrations.behind() for _ in range(2)] == [[], []]
    assert caplog.text.count("does not know (app)") == 1
