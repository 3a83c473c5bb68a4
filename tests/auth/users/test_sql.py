"""Users in the service's database, of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import argon2
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from buttress.auth.passwords import Passwords
from buttress.auth.settings import AuthSettings
from buttress.auth.tables import LOCATION
from buttress.auth.users.sql import SqlUsers
from buttress.db import Database, for_writing
from buttress.errors import SetupError, Unavailable
from buttress.testing.contracts.kept_users import *  # noqa: F403  # the contract
from buttress.testing.contracts.kept_users import OTHER, PASSWORD
from buttress.testing.contracts.users import *  # noqa: F403  # the contract
from buttress.testing.contracts.users import AddUser
from tests.auth.strings import awkward
from tests.services import Make

DOWN = {
    "postgres": "postgresql+psycopg://ann:x@127.0.0.1:1/resort",
    "mariadb": "mariadb+pymysql://ann:x@127.0.0.1:1/resort",
}
TABLES = {name for metadata in LOCATION.metadata for name in metadata.tables}
#: What is asked of a backend, whatever comes of it.
EVERYTHING = {
    "authenticate": lambda users: users.authenticate("ann", PASSWORD),
    "get": lambda users: users.get("ann"),
    "create": lambda users: users.create("ann", PASSWORD),
    "update": lambda users: users.update("ann", active=False),
    "change_password": lambda users: users.change_password("ann", OTHER, old=PASSWORD),
    "delete": lambda users: users.delete("ann"),
    "info": lambda users: users.info("ann"),
    "all": lambda users: users.all(),
    "ping": lambda users: users.ping(),
}


@pytest.fixture
def users(database: Database, passwords: Passwords) -> SqlUsers:
    """Give users in an empty table."""
    return SqlUsers(database, passwords)


@pytest.fixture
def add_user(users: SqlUsers) -> AddUser:
    """Give the function that makes one."""
    return users.create


@pytest.fixture
def stronger() -> Iterator[Passwords]:
    """Give passwords with parameters that have risen."""
    risen = AuthSettings(argon2_memory_cost=16, argon2_time_cost=2)
    with closing(Passwords(risen, "development")) as made:
        yield made


def kept(database: Database) -> str:
    """Give the hash of the only user."""
    found: str = database.one("SELECT password FROM buttress_user")
    return found


def test_a_weak_hash_is_made_anew(database: Database, users: SqlUsers, stronger: Passwords) -> None:
    """The right password is hashed with parameters that have risen; the user stays the same."""
    made = users.create("ann", PASSWORD)
    weak, later = kept(database), SqlUsers(database, stronger)
    assert later.authenticate("ann", "wrong") is None
    assert kept(database) == weak
    assert later.authenticate("ann", PASSWORD) == made == later.get("ann")
    assert kept(database).startswith("$argon2id$v=19$m=16,t=2,p=1$")
    assert later.authenticate("ann", PASSWORD) == made


def test_a_hash_of_gnar_is_made_anew(database: Database, users: SqlUsers) -> None:
    """A hash by Gnar's documented profile lets its user in once more, and is replaced."""
    users.create("ann", PASSWORD)
    documented = argon2.PasswordHasher(2, 512, 2, 16, 16, type=argon2.Type.I).hash(OTHER)
    database.run("UPDATE buttress_user SET password = :it", {"it": documented})
    assert users.authenticate("ann", OTHER) is not None
    assert kept(database).startswith("$argon2id$")
    assert users.authenticate("ann", OTHER) is not None


def test_no_hash_is_weakened(database: Database, users: SqlUsers, stronger: Passwords) -> None:
    """A hash that is stronger than new ones stays as it is."""
    SqlUsers(database, stronger).create("ann", PASSWORD)
    before = kept(database)
    assert users.authenticate("ann", PASSWORD) is not None
    assert kept(database) == before


def test_the_hash_of_a_disabled_user_stays(
    database: Database, users: SqlUsers, stronger: Passwords
) -> None:
    """Nothing is written for a login that does not succeed."""
    users.create("ann", PASSWORD)
    users.update("ann", active=False)
    before = kept(database)
    assert SqlUsers(database, stronger).authenticate("ann", PASSWORD) is None
    assert kept(database) == before


@pytest.mark.parametrize("failing", ["hash", "run"])
def test_a_login_does_not_fail_for_its_hash(
    database: Database,
    users: SqlUsers,
    stronger: Passwords,
    failing: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where the new hash cannot be made or written the login succeeds, and the log says so."""
    made = users.create("ann", PASSWORD)
    before = kept(database)

    def fail(*_: object, **__: object) -> None:
        if failing == "hash":
            raise Unavailable
        raise OperationalError("UPDATE", {}, Exception("read only"))

    monkeypatch.setattr(*((stronger, "hash") if failing == "hash" else (database, "run")), fail)
    assert SqlUsers(database, stronger).authenticate("ann", PASSWORD) == made
    assert kept(database) == before
    assert "The password of ann could not be hashed anew" in caplog.messages
    assert PASSWORD not in caplog.text


def test_a_new_hash_replaces_no_new_password(
    database: Database, users: SqlUsers, stronger: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password that is changed while the old one is hashed anew is the one that stays."""
    users.create("ann", PASSWORD)
    hash_it = stronger.hash

    def hash_slowly(password: str) -> str:
        users.change_password("ann", OTHER)
        return hash_it(password)

    monkeypatch.setattr(stronger, "hash", hash_slowly)
    found = SqlUsers(database, stronger).authenticate("ann", PASSWORD)
    now = users.authenticate("ann", OTHER)
    assert users.authenticate("ann", PASSWORD) is None
    assert found is not None
    assert now is not None
    assert found.revision < now.revision  # so what the slow login begins can be ended


def test_everybody_costs_one_hash(
    database: Database, users: SqlUsers, passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong password costs the same for known, unknown, disabled and impossible users."""
    users.create("ann", PASSWORD)
    users.create("bob", PASSWORD)
    users.update("bob", active=False)
    asked: list[str] = []
    verify = passwords.hasher.verify
    monkeypatch.setattr(
        passwords.hasher,
        "verify",
        lambda hashed, password: (asked.append(hashed), verify(hashed, password))[1],
    )
    for password, expected in ((OTHER, 1), ("", 0), ("x" * 1025, 0), ("\ud800", 0)):
        for name in ("ann", "nobody", "bob", "no name", ""):
            asked.clear()
            assert users.authenticate(name, password) is None
            costs = [argon2.extract_parameters(it) for it in asked]
            assert costs == [argon2.Parameters(argon2.Type.ID, 19, 16, 32, 1, 8, 1)] * expected


@pytest.mark.parametrize(("hashed", "costs"), [(None, [8, 16]), ("{SSHA}x", [16]), ("!", [16])])
def test_an_old_hash_tells_of_nobody(
    database: Database,
    users: SqlUsers,
    stronger: Passwords,
    hashed: str | None,
    costs: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wrong password also takes the time of a new hash where the kept one is quicker, or none."""
    users.create("ann", PASSWORD)
    database.run("UPDATE buttress_user SET password = COALESCE(:it, password)", {"it": hashed})
    asked: list[int] = []
    verify = argon2.PasswordHasher.verify

    def noted(self: argon2.PasswordHasher, hash: str, password: str) -> bool:
        asked.append(argon2.extract_parameters(hash).memory_cost)
        return verify(self, hash, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", noted)
    assert SqlUsers(database, stronger).authenticate("ann", OTHER) is None
    assert asked == costs


def test_a_password_changed_meanwhile(
    database: Database, users: SqlUsers, monkeypatch: pytest.MonkeyPatch, passwords: Passwords
) -> None:
    """A change by the old password fails where another change was faster."""
    users.create("ann", PASSWORD)
    hash_it = passwords.hash

    def hash_slowly(password: str) -> str:
        monkeypatch.undo()
        users.change_password("ann", "the administrator's")
        return hash_it(password)

    monkeypatch.setattr(passwords, "hash", hash_slowly)
    assert users.change_password("ann", OTHER, old=PASSWORD) is False
    assert users.authenticate("ann", "the administrator's") is not None


def test_times_are_kept(database: Database, passwords: Passwords) -> None:
    """When a user was made and last changed is known, in seconds since 1970."""
    clock = iter([1000.9, 2000.9, 3000.9])
    users = SqlUsers(database, passwords, lambda: next(clock))
    users.create("ann", PASSWORD)
    users.update("ann", email="ann@a.example")
    assert (users.info("ann")["created"], users.info("ann")["changed"]) == (1000, 2000)
    users.change_password("ann", OTHER)
    assert (users.info("ann")["created"], users.info("ann")["changed"]) == (1000, 3000)


def test_tables_match_their_migrations(migrated: Database) -> None:
    """The migrations make the tables that the code describes."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with migrated.engine.connect() as connection:
        own = {"include_name": lambda name, kind, _: kind != "table" or name in TABLES}
        context = MigrationContext.configure(connection, opts=own)
        assert compare_metadata(context, LOCATION.metadata) == []


@pytest.mark.parametrize(
    ("table", "column"),
    [("user", "name"), ("token", "owner"), ("token", "owner_id"), ("token", "label")],
)
def test_names_are_compared_by_code_points(migrated: Database, table: str, column: str) -> None:
    """What has names takes all scripts and compares bytes, whatever the database's own way is."""
    exact = {"postgresql": "C", "mariadb": "utf8mb4_bin", "mysql": "utf8mb4_bin"}
    kind = migrated.engine.dialect.name
    schema = "current_schema()" if kind == "postgresql" else "DATABASE()"
    found = kind in exact and migrated.one(
        "SELECT collation_name FROM information_schema.columns "  # noqa: S608  # names of ours
        f"WHERE table_schema = {schema} "
        f"AND table_name = 'buttress_{table}' AND column_name = '{column}'"
    )
    assert found == exact.get(kind, False)  # SQLite has no other


def test_the_migration_can_be_taken_back(make: Make) -> None:
    """Going back removes the tables, and they can be made again."""
    app = make(extensions=["log", "db"])
    app.db.migrations.locations.append(LOCATION)
    for _ in range(2):
        app.db.migrations.upgrade()
        assert set(sa.inspect(app.db.engine).get_table_names()) >= TABLES
        app.db.migrations.downgrade("base", "auth")
        assert not TABLES & set(sa.inspect(app.db.engine).get_table_names())


@pytest.mark.parametrize("ask", EVERYTHING.values(), ids=EVERYTHING)
@pytest.mark.parametrize("url", DOWN.values(), ids=DOWN)
def test_a_database_that_is_down(make: Make, passwords: Passwords, url: str, ask: object) -> None:
    """Whatever is asked of a database that does not answer is 503."""
    app = make(extensions=["log", "db"], DB_URL=url)
    with pytest.raises(Unavailable) as caught:
        ask(SqlUsers(app.db, passwords))  # type: ignore[operator]  # one of everything
    assert (caught.value.code, caught.value.retry_after) == (503, 5)


def test_a_database_that_is_locked(make: Make, passwords: Passwords) -> None:
    """Who finds SQLite locked for too long is told to come back; who only reads is not."""
    app = make(extensions=["log", "db"], DB_BUSY_TIMEOUT=0.1)
    app.db.migrations.locations.append(LOCATION)
    app.db.migrations.upgrade()
    users = SqlUsers(app.db, passwords)
    users.create("ann", PASSWORD)
    with for_writing(app.db.engine).begin():
        assert users.authenticate("ann", PASSWORD) is not None
        with pytest.raises(Unavailable):
            users.update("ann", active=False)
    assert users.update("ann", active=False).active is False


def test_tables_that_are_not_made_yet(make: Make, passwords: Passwords) -> None:
    """Where the migrations have not run, the error says what to do."""
    app = make(extensions=["log", "db"])
    app.db.migrations.locations.append(LOCATION)
    users = SqlUsers(app.db, passwords)
    with pytest.raises(SetupError, match=r"lacks migrations \(auth\): run `buttress db upgrade`"):
        users.get("ann")
    with pytest.raises(SetupError):
        users.create("ann", PASSWORD)


@pytest.mark.parametrize("step", [25, pytest.param(1, marks=pytest.mark.proof)])
def test_injected_strings(users: SqlUsers, ann: object, step: int) -> None:
    """Published strings of injections and others do no harm as a name or a password."""
    for text in awkward()[::step]:
        assert users.authenticate(text, PASSWORD) is None
        assert users.authenticate("ann", text) is None
        assert users.get(text) is None
        assert users.delete(text) is False
    assert users.all() == [ann]
    assert users.authenticate("ann", PASSWORD) == ann
