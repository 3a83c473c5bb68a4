"""Which database the settings mean."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from buttress import ConfigError, ExtensionError
from tests.db.conftest import EXTENSIONS
from tests.services import Make

PARTS = {
    "PG_ENDPOINT": "db.example",
    "PG_DATABASE": "resort",
    "PG_USERNAME": "o'brien",
    "PG_PASSWORD": "p w'\"@:/",
}


def test_sqlite_by_default(make: Make) -> None:
    """Without any setting it is a file in the instance folder, in WAL mode."""
    app = make(extensions=EXTENSIONS)
    app.db.run("CREATE TABLE lift (id INTEGER PRIMARY KEY)")
    assert Path(app.instance_path, "shop.sqlite").is_file()
    pragmas = ["journal_mode", "foreign_keys", "busy_timeout"]
    assert [app.db.one(f"PRAGMA {name}") for name in pragmas] == ["wal", 1, 5000]


def test_a_relative_file_is_in_the_instance_folder(make: Make) -> None:
    """A relative path is below the instance folder, an absolute one is what it says."""
    app = make(extensions=EXTENSIONS, DB_URL="sqlite:///data/snow.sqlite")
    app.db.run("CREATE TABLE lift (id INTEGER)")
    assert Path(app.instance_path, "data/snow.sqlite").is_file()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgres://h/x", "postgresql+psycopg"),
        ("postgresql://h/x", "postgresql+psycopg"),
        ("mysql://h/x", "mysql+pymysql"),
        ("mariadb://h/x", "mariadb+pymysql"),
    ],
)
def test_driver_of_a_scheme(make: Make, given: str, expected: str) -> None:
    """A scheme without a driver takes ours."""
    assert make(extensions=EXTENSIONS, DB_URL=given).db.url.drivername == expected


def test_aliases(make: Make) -> None:
    """The names that others use are understood."""
    app = make(extensions=EXTENSIONS, DATABASE_URL="postgres://h/x")
    assert app.db.url.host == "h"


def test_gnar_s_four_parts(make: Make) -> None:
    """The four PG_ keys make the URL, and nothing in them needs escaping."""
    url = make(extensions=EXTENSIONS, **PARTS).db.url
    assert [url.host, url.database, url.username, url.password] == list(PARTS.values())


def test_an_endpoint_with_a_port(make: Make) -> None:
    """The endpoint may name a port."""
    url = make(extensions=EXTENSIONS, **{**PARTS, "PG_ENDPOINT": "[::1]:5433"}).db.url
    assert (url.host, url.port) == ("::1", 5433)


def test_some_of_the_parts(make: Make) -> None:
    """Only some of the parts is an error that names the others."""
    with pytest.raises(ConfigError, match="PG_ENDPOINT without PG_DATABASE, PG_USERNAME, PG_PASS"):
        make(extensions=EXTENSIONS, PG_ENDPOINT="h")


def test_both_ways_at_once(make: Make) -> None:
    """A URL and the parts contradict each other."""
    with pytest.raises(ConfigError, match="are both set: keep DB_URL or the PG_ keys"):
        make(extensions=EXTENSIONS, DB_URL="sqlite://", **PARTS)


@pytest.mark.parametrize("given", ["not a url", "http://h/x", "postgresql://h:port/x", "://"])
def test_no_database_url(make: Make, given: str) -> None:
    """What is no URL of a database is refused, without showing it."""
    with pytest.raises(ConfigError, match="its value is not shown.*postgresql://") as caught:
        make(extensions=EXTENSIONS, DB_URL=given)
    assert "not a url" not in str(caught.value)


def test_a_missing_driver(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that is not installed is named with the extra that brings it."""
    monkeypatch.setitem(__import__("sys").modules, "pymysql", None)
    with pytest.raises(ExtensionError, match=r"needs the package 'pymysql'.*buttress\[mariadb\]"):
        make(extensions=EXTENSIONS, DB_URL="mariadb://h/x")


def test_a_file_that_is_read_only(make: Make, tmp_path: Path) -> None:
    """A database that must not be written to is read as it is."""
    file = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(file)) as old:
        old.execute("CREATE TABLE lift (id INTEGER)")
    url = f"sqlite:///file:{file}?mode=ro&uri=true"
    app = make(extensions=EXTENSIONS, DB_URL=url)
    assert app.db.all("SELECT id FROM lift") == []


def test_another_missing_driver(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that no extra brings is named by itself."""
    monkeypatch.setitem(__import__("sys").modules, "pg8000", None)
    with pytest.raises(ExtensionError, match="needs the package 'pg8000': install it"):
        make(extensions=EXTENSIONS, DB_URL="postgresql+pg8000://h/x")
