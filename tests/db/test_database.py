"""SQL in one line, sessions and models, on every kind of database."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from buttress import Service
from buttress.errors import TooManyRows
from tests.corpora import corpus
from tests.db.conftest import EXTENSIONS
from tests.services import Make


@pytest.fixture
def lifts(app: Service) -> Service:
    """Give a service whose database has a table with two rows."""
    app.db.run("CREATE TABLE lift (id INTEGER PRIMARY KEY, name VARCHAR(2000), top INTEGER)")
    add = "INSERT INTO lift (id, name, top) VALUES (:id, :name, :top)"
    for number, name in enumerate(["aiguille", "balme"], 1):
        app.db.run(add, {"id": number, "name": name, "top": 1000 * number})
    return app


def test_one_row_is_a_named_tuple(lifts: Service) -> None:
    """A row of several columns is a named tuple."""
    found = lifts.db.one("SELECT id, name FROM lift WHERE id = :id", {"id": 1})
    assert found == (1, "aiguille")
    assert found.name == "aiguille"


def test_one_column_is_a_value(lifts: Service) -> None:
    """A row of a single column is its value."""
    assert lifts.db.one("SELECT name FROM lift WHERE id = 2") == "balme"


def test_names_that_are_no_words(lifts: Service) -> None:
    """A column may be called anything; one that is no word has its place as its name."""
    found = lifts.db.one("SELECT id, coalesce(top, 0), 1 FROM lift WHERE id = 1")
    assert found == (1, 1000, 1)
    assert (found.id, found._2) == (1, 1)


def test_no_row_is_none(lifts: Service) -> None:
    """Where nothing is found there is ``None``, as in the Gnar document."""
    assert lifts.db.one("SELECT * FROM lift WHERE name='buz'") is None


def test_two_rows_are_refused(lifts: Service) -> None:
    """Several rows where one was asked for are an error that shows the statement."""
    with pytest.raises(TooManyRows, match="SELECT name FROM lift"):
        lifts.db.one("SELECT name FROM lift")


def test_all_rows(lifts: Service) -> None:
    """All gives named tuples, of a single column the values, of nothing an empty list."""
    assert lifts.db.all("SELECT name FROM lift ORDER BY id") == ["aiguille", "balme"]
    rows = lifts.db.all("SELECT id, top FROM lift ORDER BY id")
    assert [(row.id, row.top) for row in rows] == [(1, 1000), (2, 2000)]
    assert lifts.db.all("SELECT * FROM lift WHERE id = 9") == []


@pytest.mark.parametrize("written", [":id", "%(id)s"])
def test_both_spellings_of_a_parameter(lifts: Service, written: str) -> None:
    """A parameter is written either way, whatever the database is."""
    assert lifts.db.one(f"SELECT name FROM lift WHERE id = {written}", {"id": 2}) == "balme"  # noqa: S608  # a spelling of a parameter


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        ("SELECT name FROM lift WHERE name LIKE 'a%'", None),
        ("SELECT name FROM lift WHERE name LIKE 'a%' AND id = :id", {"id": 1}),
        ("SELECT name FROM lift WHERE name LIKE 'a%%' AND id = %(id)s", {"id": 1}),
        ("SELECT name FROM lift WHERE name <> ':x' AND id = :id -- :y", {"id": 1}),
        ("SELECT name FROM lift WHERE 5 % 2 = :one AND id = :one", {"one": 1}),
    ],
)
def test_what_is_no_parameter_stays(lifts: Service, sql: str, params: dict[str, int]) -> None:
    """Percent signs, literals and comments mean what they mean in SQL."""
    assert lifts.db.one(sql, params) == "aiguille"


def test_a_missing_parameter_is_named(lifts: Service) -> None:
    """A parameter that is not given is named before the database is asked."""
    with pytest.raises(ValueError, match=":name, which params does not have"):
        lifts.db.one("SELECT id FROM lift WHERE name = :name")


def test_positional_parameters_are_refused(lifts: Service) -> None:
    """Parameters without names are refused with what to write."""
    with pytest.raises(TypeError, match="write :name"):
        lifts.db.one("SELECT id FROM lift WHERE name = %s", ["x"])  # type: ignore[arg-type]  # on purpose


def test_run_tells_how_many(lifts: Service) -> None:
    """Run commits, and gives the number of rows that it touched."""
    assert lifts.db.run("UPDATE lift SET top = 5") == 2
    assert lifts.db.all("SELECT DISTINCT top FROM lift") == [5]


def test_begin_is_undone(lifts: Service) -> None:
    """A transaction that a statement begins ends with it: whatever comes next is committed."""
    lifts.db.run("BEGIN")
    lifts.db.run("UPDATE lift SET top = 5")
    with lifts.db.engine.connect() as another:
        assert another.exec_driver_sql("SELECT DISTINCT top FROM lift").scalar() == 5


def test_an_interrupted_statement(app: Service) -> None:
    """A server's connection whose answer nobody has read is not used again."""
    pools = [app.db._statements.pool, app.db.engine.pool]

    def interrupt(_cursor: object) -> None:
        raise KeyboardInterrupt

    app.db.ping()
    before = app.db._hot.take()
    driver, _ = before.dbapi_connection, app.db._hot.give(before)
    with pytest.raises(KeyboardInterrupt):
        app.db._execute("SELECT 1", None, interrupt)
    after = app.db._hot.take()
    assert (after.dbapi_connection is driver) == (app.db.engine.name == "sqlite")
    app.db._hot.give(after)
    app.db._hot.close()
    assert app.db.load()["statements"] == 0
    assert [pool.checkedout() for pool in pools if isinstance(pool, sa.QueuePool)] == [0, 0]


def test_injection_stays_text(lifts: Service) -> None:
    """What a parameter holds is never read as SQL, and comes back as it was."""
    texts = json.loads(Path(corpus("naughty-strings.json")).read_text("utf-8"))
    for text in [it for it in texts if "\x00" not in it]:
        lifts.db.run("UPDATE lift SET name = :name WHERE id = 1", {"name": text})
        assert lifts.db.one("SELECT name FROM lift WHERE id = 1") == text
    assert lifts.db.one("SELECT count(*) FROM lift") == 2


def test_a_wrong_statement_is_an_error_of_sqlalchemy(lifts: Service) -> None:
    """A mistake in SQL is SQLAlchemy's error, and the connection is of use again."""
    with pytest.raises(sa.exc.DBAPIError):
        lifts.db.one("SELECT nonsense FROM lift")
    assert lifts.db.one("SELECT count(*) FROM lift") == 2


def test_statements_from_many_threads(lifts: Service) -> None:
    """Threads do not get in each other's way."""
    found: list[object] = []

    def work() -> None:
        for _ in range(20):
            lifts.db.run("UPDATE lift SET top = top + 1 WHERE id = 1")
            found.append(lifts.db.one("SELECT name FROM lift WHERE id = :id", {"id": 2}))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["balme"] * 160
    assert lifts.db.one("SELECT top FROM lift WHERE id = 1") == 1160


def test_a_session_is_closed_with_its_context(lifts: Service) -> None:
    """What a session did not commit is undone at the end of the context, what it did stays."""
    change = sa.text("UPDATE lift SET top = :top")
    with lifts.app_context():
        lifts.db.session.execute(change, {"top": 1})
    with lifts.app_context():
        lifts.db.session.execute(change, {"top": 2})
        lifts.db.session.commit()
        lifts.db.session.execute(change, {"top": 3})
    assert lifts.db.all("SELECT DISTINCT top FROM lift") == [2]


def test_a_request_that_fails_leaves_nothing(lifts: Service) -> None:
    """A view that raises has changed nothing."""

    @lifts.post("/fail")
    def fail() -> str:
        lifts.db.session.execute(sa.text("UPDATE lift SET top = 7"))
        raise RuntimeError("after writing")

    lifts.config["PROPAGATE_EXCEPTIONS"] = False
    assert lifts.test_client().post("/fail").status_code == 500
    assert lifts.db.one("SELECT count(*) FROM lift WHERE top = 7") == 0


def test_models(app: Service) -> None:
    """Models of the application's own base are stored and found."""

    class Lift(app.db.Model):  # type: ignore[name-defined,misc]  # a base that is made at run time
        __tablename__ = "lift"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(sa.String(20))

    app.db.Model.metadata.create_all(app.db.engine)
    with app.app_context():
        app.db.session.add(Lift(name="aiguille"))
        app.db.session.commit()
        assert app.db.session.scalars(sa.select(Lift.name)).all() == ["aiguille"]
    assert app.db.one("SELECT name FROM lift") == "aiguille"


def test_two_services_have_their_own_models(make: Make) -> None:
    """The models of two services of one process do not mix."""
    one = make("one", extensions=EXTENSIONS, DB_URL="sqlite://")
    two = make("two", extensions=EXTENSIONS, DB_URL="sqlite://")
    assert one.db.Model.metadata is not two.db.Model.metadata


def test_in_memory(make: Make) -> None:
    """A database in memory is one for sessions and statements, and a statement ends no session."""
    app = make(extensions=EXTENSIONS, DB_URL="sqlite://")
    app.db.run("CREATE TABLE lift (id INTEGER)")
    with app.app_context():
        app.db.session.execute(sa.text("INSERT INTO lift VALUES (1)"))
        assert app.db.one("SELECT count(*) FROM lift") == 1
        app.db.session.commit()
    assert app.db.all("SELECT id FROM lift") == [1]


def test_sessions_in_memory_take_turns(make: Make) -> None:
    """Threads that use a database in memory do not get into each other's transactions."""
    app = make(extensions=EXTENSIONS, DB_URL="sqlite://")
    app.db.run("CREATE TABLE lift (rides INTEGER)")
    app.db.run("INSERT INTO lift VALUES (0)")

    def ride(_: int) -> None:
        with app.app_context():
            rides = app.db.session.scalar(sa.text("SELECT rides FROM lift"))
            time.sleep(0.001)
            app.db.session.execute(sa.text("UPDATE lift SET rides = :n"), {"n": rides + 1})
            app.db.session.commit()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ride, range(40)))
    assert app.db.one("SELECT rides FROM lift") == 40


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///shop.sqlite"])
def test_parameters_are_not_shown(make: Make, url: str) -> None:
    """An error shows the statement, and no parameter, which may be a secret."""
    app = make(extensions=EXTENSIONS, DB_URL=url)
    with app.app_context(), pytest.raises(sa.exc.DBAPIError, match="nowhere") as caught:
        app.db.session.execute(sa.text("INSERT INTO nowhere VALUES (:it)"), {"it": "geheim"})
    assert "geheim" not in str(caught.value)


def test_the_password_is_not_shown(make: Make) -> None:
    """Neither the URL nor the engine show the password."""
    app = make(extensions=EXTENSIONS, DB_URL="postgresql://me:geheim@127.0.0.1:1/x")
    assert "geheim" not in f"{app.db.url} {app.db.engine!r} {app.config!r}"


def test_no_event_loop_for_a_request(make: Make) -> None:
    """Without asynchronous engines nothing asynchronous runs at the end of a request."""
    import inspect

    plain = make("plain", extensions=EXTENSIONS)
    engines = {"default": {"url": "postgresql+psycopg://h/x"}}
    both = make("both", extensions=EXTENSIONS, SQLALCHEMY_ASYNC_ENGINES=engines)
    found = [
        any(map(inspect.iscoroutinefunction, app.teardown_appcontext_funcs))
        for app in (plain, both)
    ]
    assert found == [False, True]


def test_a_table_that_changes(lifts: Service) -> None:
    """A statement that is prepared for a table as it was is prepared anew, unnoticed."""
    rows = [lifts.db.one("SELECT * FROM lift WHERE id = 1") for _ in range(8)]
    with lifts.db.engine.begin() as another:
        another.exec_driver_sql("ALTER TABLE lift ADD COLUMN seats INTEGER")
    assert lifts.db.one("SELECT * FROM lift WHERE id = 1") == (*rows[-1], None)


def test_any_mapping(lifts: Service) -> None:
    """Parameters may be any mapping, whatever the driver takes."""
    params = MappingProxyType({"id": 2})
    assert lifts.db.one("SELECT name FROM lift WHERE id = :id", params) == "balme"


def test_a_change_of_tables_touches_no_row(app: Service) -> None:
    """Where the driver counts no rows there are none."""
    assert app.db.run("CREATE TABLE lift (id INTEGER)") == 0


def test_an_answer_that_cannot_be_read(make: Make) -> None:
    """A statement that fails while its rows are read holds nothing, though its error is kept."""
    app = make(extensions=EXTENSIONS)
    app.db.run("CREATE TABLE lift AS SELECT CAST(x'ff' AS TEXT) AS name")
    with pytest.raises(sa.exc.DBAPIError, match="decode") as kept:
        app.db.all("SELECT name FROM lift")
    app.db.run("DROP TABLE lift")
    assert kept.value.__cause__ is not None
