"""Connections that are kept at hand for statements."""

from __future__ import annotations

import operator
import os
import threading
import time

import pytest
import sqlalchemy as sa

from buttress import Service
from buttress.db import Database
from tests.db.conftest import EXTENSIONS
from tests.services import Make


def driver_of(database: Database) -> object:
    """Borrow a connection and tell which of the driver's it is."""
    connection = database._hot.take()
    driver = connection.dbapi_connection
    database._hot.give(connection)
    return driver


def test_the_latest_comes_first(app: Service) -> None:
    """A connection that was just used is lent again, without the pool."""
    first = driver_of(app.db)
    assert [driver_of(app.db) is first for _ in range(3)] == [True] * 3
    assert app.db.load() == {"sessions": 0, "statements": 0}


def test_all_are_lent(make: Make, url: str) -> None:
    """Who finds none in time gets SQLAlchemy's error of a pool; then all is as before."""
    app = make(extensions=EXTENSIONS, DB_URL=url, DB_POOL_SIZE=2, DB_POOL_TIMEOUT=0.1)
    lent = [app.db._hot.take() for _ in range(2)]
    assert app.db.load()["statements"] == 2
    with pytest.raises(sa.exc.TimeoutError, match="all 2 connections for statements"):
        app.db.one("SELECT 1")
    for connection in lent:
        app.db._hot.give(connection)
    assert app.db.one("SELECT 1") == 1


def test_who_waits_gets_the_next(make: Make, url: str) -> None:
    """A connection that comes back goes to whoever waits for one."""
    app = make(extensions=EXTENSIONS, DB_URL=url, DB_POOL_SIZE=1)
    lent = app.db._hot.take()
    later = threading.Timer(0.1, app.db._hot.give, (lent,))
    later.start()
    assert app.db.one("SELECT 1") == 1
    later.join()


def test_one_that_has_rested_is_tried(make: Make, url: str) -> None:
    """A connection that has rested goes through the pool, which tries it."""
    app = make(extensions=EXTENSIONS, DB_URL=url, DB_PING_AFTER=0.05)
    app.db.one("SELECT 1")
    tried: list[object] = []
    sa.event.listen(app.db._statements, "checkout", lambda *given: tried.append(given[0]))
    app.db.one("SELECT 1")
    assert tried == []
    time.sleep(0.1)
    app.db.one("SELECT 1")
    assert len(tried) == 1


def test_a_fork_begins_anew(make: Make, url: str) -> None:
    """A process that was forked uses connections of its own, of every engine."""
    other = {"other": {"url": "sqlite://"}}
    app = make(extensions=EXTENSIONS, DB_URL=url, SQLALCHEMY_ENGINES=other)
    app.db.one("SELECT 1")
    pools = [engine.pool for engine in app.db._every_engine]
    pid = os.fork()
    if pid == 0:
        right = False
        try:
            anew = [engine.pool for engine in app.db._every_engine]
            right = not any(map(operator.is_, pools, anew)) and app.db.one("SELECT 2") == 2
        finally:
            os._exit(0 if right else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert app.db.one("SELECT 3") == 3
