"""Databases that exist for one test, on the servers that the tests have."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from tests.servers import server_url

#: The kinds of databases that the tests run on.
KINDS = ("sqlite", "postgres", "mariadb")

_SCHEMES = {"postgres": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}


@contextmanager
def fresh_database(kind: str, folder: Path) -> Iterator[str]:
    """Make an empty database, a SQLite one in ``folder``, and give its URL."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'test.sqlite'}"
        return
    server = sa.make_url(server_url(kind)).set(drivername=_SCHEMES[kind])
    name = f"test_{secrets.token_hex(6)}"
    charset = " CHARACTER SET utf8mb4" if kind == "mariadb" else ""
    _execute(server, f"CREATE DATABASE {name}{charset}")
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        force = " WITH (FORCE)" if kind == "postgres" else ""
        _execute(server, f"DROP DATABASE {name}{force}")


def _execute(server: sa.URL, sql: str) -> None:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(sql)
