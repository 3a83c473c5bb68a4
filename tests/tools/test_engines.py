"""The engines under the demo: what a service is told, and that nothing of them is left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.servers import server_url
from tools.engines import database, embedded, environment_with

MAIL = "From: a@x.example\r\nTo: b@x.example\r\nSubject: Snow\r\n\r\nMuch.\r\n"


def databases(server: str) -> set[str]:
    """Name the databases of a PostgreSQL."""
    url = sa.make_url(server).set(drivername="postgresql+psycopg")
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        return set(connection.exec_driver_sql("SELECT datname FROM pg_database").scalars())


def test_embedded(tmp_path: Path) -> None:
    """The embedded ones need no variables; the newest mail is shown as a person wants to see it."""
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail/1.eml").write_text("Subject: old\r\n\r\n\r\n")
    (tmp_path / "mail/2.eml").write_text(MAIL)
    with embedded(tmp_path) as engines:
        assert (engines.count(), dict(engines.variables)) == (2, {})
        assert engines.newest() == ("From: a@x.example\nTo: b@x.example\nSubject: Snow\n\nMuch.")


def test_database_exists_for_a_time() -> None:
    """The database is there inside of the block, and dropped after it, though one is connected."""
    server = server_url("postgres")
    name = f"demo_{os.getpid()}"
    with database(server, name) as url:
        assert name in databases(server)
        engine = sa.create_engine(url)
        connection = engine.connect()
    assert name not in databases(server)
    connection.invalidate()
    connection.close()


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables are set inside of the block, and as before after it."""
    monkeypatch.setenv("SNOW_CM", "1")
    monkeypatch.delenv("SNOW_WET", raising=False)
    with environment_with({"SNOW_CM": "2", "SNOW_WET": "yes"}):
        assert (os.environ["SNOW_CM"], os.environ["SNOW_WET"]) == ("2", "yes")
    assert os.environ["SNOW_CM"] == "1"
    assert "SNOW_WET" not in os.environ
