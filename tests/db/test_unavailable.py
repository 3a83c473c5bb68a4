"""A database that cannot answer now is a 503, and comes back by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from buttress import Service
from tests.databases import fresh_database
from tests.db.conftest import EXTENSIONS
from tests.private import PrivateServer, private_server
from tests.services import Make


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateServer]:
    """Give a PostgreSQL of this test's own."""
    with private_server("postgres", monkeypatch) as server:
        yield server


def with_views(app: Service) -> Service:
    """Add a view by statement and one by session."""
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.get("/one")
    def one() -> dict[str, int]:
        return {"found": app.db.one("SELECT 1")}

    @app.get("/session")
    def session() -> dict[str, int]:
        return {"found": app.db.session.scalar(sa.text("SELECT 1"))}

    return app


def test_a_database_that_is_gone(
    make: Make, postgres: PrivateServer, caplog: pytest.LogCaptureFixture
) -> None:
    """While it is down every answer is 503 with Retry-After, told once; then all is as before."""
    app = with_views(make(extensions=EXTENSIONS, DB_URL=postgres.url, DB_RETRY_AFTER=7))
    client = app.test_client()
    paths = ["/one", "/session"] * 3
    assert [client.get(path).status_code for path in paths] == [200] * 6
    postgres.stop()
    answers = [client.get(path) for path in paths]
    assert {(it.status_code, it.headers["Retry-After"]) for it in answers} == {(503, "7")}
    assert {it.json["code"] for it in answers if it.json} == {"unavailable"}
    assert client.get("/__heartbeat__").status_code == 503
    postgres.start()
    began = time.monotonic()
    while client.get("/one").status_code != 200:
        assert time.monotonic() - began < 1
    assert [client.get(path).status_code for path in paths] == [200] * 6
    told = [
        it.levelname for it in caplog.records if it.name == "buttress.db" and "answer" in it.msg
    ]
    assert told == ["ERROR", "INFO"]


def test_a_connection_lost_at_the_end(make: Make, tmp_path: Path) -> None:
    """A request that has its answer keeps it, though its session can no longer be closed."""
    with fresh_database("postgres", tmp_path) as url:
        app = make(extensions=EXTENSIONS, DB_URL=url)

        @app.get("/")
        def lose() -> str:
            number = app.db.session.scalar(sa.text("SELECT pg_backend_pid()"))
            return str(app.db.one("SELECT pg_terminate_backend(:it)", {"it": number}))

        assert [app.test_client().get("/").text for _ in range(2)] == ["True", "True"]
        assert app.db.load() == {"sessions": 0, "statements": 0}
        app.close()


def test_all_connections_in_use(make: Make, url: str) -> None:
    """Who waits too long for a connection gets 503; nobody waits for ever."""
    small = {"DB_POOL_SIZE": 1, "DB_POOL_TIMEOUT": 0.2}
    app = with_views(make(extensions=EXTENSIONS, DB_URL=url, **small))
    client = app.test_client()
    with app.db.engine.connect():
        answer = client.get("/session")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert client.get("/one").status_code == 200
    assert client.get("/session").status_code == 200


def test_two_writers_on_sqlite(make: Make) -> None:
    """A writer waits for another one, and who waits too long gets 503."""
    app = make(extensions=EXTENSIONS, DB_BUSY_TIMEOUT=0.2)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.db.run("CREATE TABLE lift (id INTEGER)")

    @app.post("/lift")
    def add() -> str:
        app.db.session.execute(sa.text("INSERT INTO lift VALUES (1)"))
        app.db.session.commit()
        return "added"

    client = app.test_client()
    with app.db.engine.begin() as other:
        other.execute(sa.text("INSERT INTO lift VALUES (2)"))
        assert client.post("/lift").status_code == 503
    assert client.post("/lift").status_code == 200


def test_read_then_write_from_many_threads_on_sqlite(make: Make) -> None:
    """Requests that read and then write lose nothing and fail nowhere."""
    app = make(extensions=EXTENSIONS)
    app.db.run("CREATE TABLE lift (rides INTEGER)")
    app.db.run("INSERT INTO lift VALUES (0)")

    @app.post("/ride")
    def ride() -> dict[str, int]:
        rides = app.db.session.scalar(sa.text("SELECT rides FROM lift"))
        app.db.session.execute(sa.text("UPDATE lift SET rides = :n"), {"n": rides + 1})
        app.db.session.commit()
        return {"rides": rides + 1}

    app.test_client().get("/")
    statuses: list[int] = []

    def work() -> None:
        statuses.extend(app.test_client().post("/ride").status_code for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses, app.db.one("SELECT rides FROM lift")) == ([200] * 80, 80)


def test_an_error_of_the_application_stays_one(make: Make) -> None:
    """A mistake in SQL is a 500, and is logged as one."""
    app = make(extensions=EXTENSIONS)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/", "wrong", lambda: app.db.one("SELECT nonsense"))
    assert app.test_client().get("/").status_code == 500


def test_a_statement_that_takes_too_long(make: Make) -> None:
    """The deadline of a request ends its statement; the answer is 503."""
    from tests.servers import server_url

    url = server_url("postgres")
    app = make(extensions=EXTENSIONS, DB_URL=url, REQUEST_DEADLINE=0.2)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/", "slow", lambda: str(app.db.one("SELECT pg_sleep(5)")))
    began = time.monotonic()
    assert app.test_client().get("/").status_code == 503
    assert time.monotonic() - began < 2
    assert app.db.one("SELECT current_setting('statement_timeout')") == "30s"


def test_the_limit_is_kept_where_it_fits(make: Make, url: str) -> None:
    """While about as much time is left, the limit of a connection is not set anew."""
    asked = {
        "postgresql": "SELECT current_setting('statement_timeout')",
        "mysql": "SELECT @@max_statement_time",
    }
    url = url.replace("mariadb", "mysql")
    app = make(extensions=EXTENSIONS, DB_URL=url, REQUEST_DEADLINE=20, DB_STATEMENT_TIMEOUT=25)
    sql = asked.get(app.db.engine.name, "SELECT 1")
    with app.test_request_context("/"):
        first = app.db.one(sql)
        time.sleep(0.02)
        assert app.db.one(sql) == first
    assert str(app.db.one(sql)) in ("25s", "25.0", "1")
