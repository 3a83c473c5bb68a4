"""A database that cannot answer now is a 503, and comes back by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from buttress import Service
from buttress.db.unavailable import as_unavailable
from tests.databases import fresh_database
from tests.db.conftest import EXTENSIONS
from tests.private import PrivateServer, private_server
from tests.services import Make


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateServer]:
    """Give a PostgreSQL of this test's own."""
    with private_server("postgres", monkeypatch) as server:
        yield server


@pytest.fixture(params=["postgres", "mariadb"])
def server(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PrivateServer]:
    """Give a server of this test's own, of each kind."""
    with private_server(request.param, monkeypatch) as made:
        yield made


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
    make: Make, server: PrivateServer, caplog: pytest.LogCaptureFixture
) -> None:
    """While it is down every answer is 503 with Retry-After, told once; then all is as before."""
    app = with_views(make(extensions=EXTENSIONS, DB_URL=server.url, DB_RETRY_AFTER=7))
    client = app.test_client()
    paths = ["/one", "/session"] * 3
    assert [client.get(path).status_code for path in paths] == [200] * 6
    server.stop()
    answers = [client.get(path) for path in paths]
    assert {(it.status_code, it.headers["Retry-After"]) for it in answers} == {(503, "7")}
    assert {it.json["code"] for it in answers if it.json} == {"unavailable"}
    assert client.get("/__heartbeat__").status_code == 503
    server.start()
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


def test_a_connection_that_is_free_in_time(make: Make, url: str) -> None:
    """Who waits for less than the limit is served, also where that is less than a second."""
    app = with_views(make(extensions=EXTENSIONS, DB_URL=url, DB_POOL_SIZE=1, DB_POOL_TIMEOUT=0.9))
    client = app.test_client()
    assert client.get("/one").status_code == 200
    held = app.db.engine.connect()
    later = threading.Timer(0.1, held.close)
    later.start()
    assert client.get("/session").status_code == 200
    later.join()


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


@pytest.mark.parametrize(
    ("kind", "slow", "limit", "expected"),
    [
        ("postgres", "SELECT pg_sleep(5)", "SELECT current_setting('statement_timeout')", "30s"),
        # To sleep is ended there without an error.
        (
            "mariadb",
            "SELECT count(*) FROM seq_1_to_100000000 WHERE seq % 2",
            "SELECT @@max_statement_time",
            30,
        ),
    ],
)
def test_a_statement_that_takes_too_long(
    make: Make, kind: str, slow: str, limit: str, expected: object
) -> None:
    """The deadline of a request ends its statement; the answer is 503."""
    from tests.servers import server_url

    app = make(extensions=EXTENSIONS, DB_URL=server_url(kind), REQUEST_DEADLINE=0.2)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/", "slow", lambda: str(app.db.one(slow)))
    began = time.monotonic()
    assert app.test_client().get("/").status_code == 503
    assert time.monotonic() - began < 2
    assert app.db.one(limit) == expected


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


def test_a_table_that_changes_under_a_session(make: Make, tmp_path: Path) -> None:
    """A session whose prepared statement is out of date answers 503, and then is right."""
    with fresh_database("postgres", tmp_path) as url:
        app = make(extensions=EXTENSIONS, DB_URL=url)
        app.config["PROPAGATE_EXCEPTIONS"] = False
        app.db.run("CREATE TABLE lift (id INTEGER)")

        @app.get("/")
        def index() -> str:
            for _ in range(8):
                app.db.session.execute(sa.text("SELECT * FROM lift"))
            app.db.session.commit()
            return "seen"

        client = app.test_client()
        assert client.get("/").text == "seen"
        app.db.run("ALTER TABLE lift ADD COLUMN seats INTEGER")
        assert [client.get("/").status_code for _ in range(2)] == [503, 200]
        app.close()


def test_a_lock_of_one_s_own(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """A statement that waits in vain for the session of its own request is told of in the log."""
    app = make(extensions=EXTENSIONS, DB_BUSY_TIMEOUT=0.05)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.db.run("CREATE TABLE lift (id INTEGER)")

    @app.post("/")
    def add() -> str:
        app.db.session.scalar(sa.text("SELECT count(*) FROM lift"))
        return str(app.db.run("INSERT INTO lift VALUES (1)"))

    assert app.test_client().post("/").status_code == 503
    assert "the session of its own context" in caplog.text


def test_another_engine_that_is_gone(make: Make, postgres: PrivateServer) -> None:
    """An engine that the application names itself is tried before use, and answers 503 as well."""
    app = make(extensions=EXTENSIONS, SQLALCHEMY_ENGINES={"other": {"url": postgres.url}})
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.get("/")
    def other() -> str:
        with app.db.get_engine("other").connect() as connection:
            return str(connection.scalar(sa.text("SELECT 1")))

    client = app.test_client()
    assert client.get("/").text == "1"
    postgres.stop()
    assert [client.get("/").status_code for _ in range(2)] == [503, 503]
    assert app.db.outage.reason is None
    postgres.start()
    time.sleep(0.2)
    assert client.get("/").text == "1"


def test_a_row_that_has_changed_since(make: Make, tmp_path: Path) -> None:
    """A transaction that MariaDB refuses, since what it has read has changed, is worth a retry."""
    with fresh_database("mariadb", tmp_path) as url:
        app = make(extensions=EXTENSIONS, DB_URL=url)
        app.db.run("CREATE TABLE lift (rides INTEGER)")
        app.db.run("INSERT INTO lift VALUES (1)")
        with app.app_context():
            for sql in ("SET SESSION innodb_snapshot_isolation = ON", "SELECT * FROM lift"):
                app.db.session.execute(sa.text(sql))
            app.db.run("UPDATE lift SET rides = 2")
            with pytest.raises(sa.exc.DBAPIError) as caught:
                app.db.session.execute(sa.text("UPDATE lift SET rides = rides + 1"))
        app.close()
    assert as_unavailable(caught.value, 5).retry_after == 1  # type: ignore[union-attr]  # it is one


def test_a_lock_that_is_not_given(make: Make, tmp_path: Path) -> None:
    """Who waits in vain for a row that another has locked on MariaDB may come back."""
    with fresh_database("mariadb", tmp_path) as url:
        app = make(extensions=EXTENSIONS, DB_URL=url)
        app.db.run("CREATE TABLE lift (id INTEGER PRIMARY KEY)")
        app.db.run("INSERT INTO lift VALUES (1)")
        locked = "SELECT id FROM lift FOR UPDATE"
        with app.db.engine.begin() as other:
            other.exec_driver_sql(locked)
            with pytest.raises(sa.exc.DBAPIError) as caught:
                app.db.one(f"{locked} NOWAIT")
        app.close()
    assert as_unavailable(caught.value, 5).retry_after == 1  # type: ignore[union-attr]  # it is one
