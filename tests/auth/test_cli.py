"""``buttress user``."""

from __future__ import annotations

import json
import warnings
from getpass import GetPassWarning
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.conftest import project, run
from tests.cli.shop import Run, Write

__all__ = ["project", "run"]

MAIN = """
    from buttress import create_app

    CHEAP = {"MODE": "development", "ARGON2_MEMORY_COST": 8, "LOG_LEVEL": "CRITICAL"}
    app = create_app("shop", extensions=["log", "db", "auth"], config=CHEAP)


    @app.cli.command()
    def make_tables():
        app.db.migrations.upgrade()


    @app.cli.command()
    def who():
        print(app.auth.users.authenticate("ann", "Piste 7 is open"))
"""
#: One whose users are elsewhere than in its database.
OTHERS = """
    from buttress import create_app

    app = create_app("shop", extensions=["log", "auth"], config={"AUTH_AUTHENTICATORS": ["basic"]})
"""
PASSWORD = "Piste 7 is open"
TWICE = f"{PASSWORD}\n{PASSWORD}\n"


@pytest.fixture
def shop(project: Write, run: Run) -> Path:
    """Write an application with a user backend."""
    folder = project({"shop/main.py": MAIN})
    assert run("make-tables").exit_code == 0
    return folder


def lines(result: Result) -> list[list[str]]:
    """Give the words of a table's lines."""
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.stdout.splitlines()]


def failure(result: Result) -> str:
    """Give the one sentence of a command that ended with 2."""
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr


def test_a_user_is_made(shop: Path, run: Run) -> None:
    """The password is asked for twice and not shown; the user can log in and is listed."""
    made = run("user", "add", "--email", "ann@a.example", "--role", "admin", "Ann", input=TWICE)
    assert made.exit_code == 0
    assert made.stdout.splitlines()[-1] == "made ann"
    assert PASSWORD not in made.output
    assert "name='ann'" in run("who").stdout
    head, row = lines(run("user", "list"))
    assert head == ["NAME", "EMAIL", "ROLES", "STATE"]
    assert row == ["ann", "ann@a.example", "admin", "active"]


def test_a_password_from_standard_input(shop: Path, run: Run) -> None:
    """A script gives the password on the first line of standard input, whatever it has."""
    added = run("user", "add", "--stdin", "ann", input=f"{PASSWORD}\r\nmore\n")
    assert (added.exit_code, added.stdout) == (0, "made ann\n")
    assert "name='ann'" in run("who").stdout
    changed = run("user", "passwd", "--stdin", "ann", input=f" {PASSWORD} \n")
    assert (changed.exit_code, changed.stdout) == (0, "ann has a new password\n")
    assert run("who").stdout == "None\n"


def test_a_new_password(shop: Path, run: Run) -> None:
    """The new password is asked for until it is typed the same twice."""
    run("user", "add", "--stdin", "ann", input="the first one")
    assert run("who").stdout == "None\n"
    result = run("user", "passwd", "ann", input=f"{PASSWORD}\nmistyped\n{TWICE}")
    assert result.exit_code == 0
    assert "do not match" in result.output
    assert "name='ann'" in run("who").stdout


def test_disable_and_enable(shop: Path, run: Run) -> None:
    """Who is disabled cannot log in until enabled again."""
    run("user", "add", "--stdin", "ann", input=PASSWORD)
    assert run("user", "disable", "ANN").stdout == "ANN is disabled\n"
    assert run("who").stdout == "None\n"
    assert lines(run("user", "list"))[1] == ["ann", "-", "-", "disabled"]
    assert run("user", "enable", "ann").stdout == "ann is enabled\n"
    assert "name='ann'" in run("who").stdout


def test_roles(shop: Path, run: Run) -> None:
    """Roles are shown, given and taken; one that is taken twice is no mistake."""
    run("user", "add", "--stdin", "--role", "skier", "ann", input=PASSWORD)
    assert run("user", "role", "ann").stdout == "ann: skier\n"
    changed = run("user", "role", "ann", "--add", "admin", "--add", "guide", "--remove", "skier")
    assert changed.stdout == "ann: admin guide\n"
    assert run("user", "role", "ann", "--remove", "skier").stdout == "ann: admin guide\n"
    removed = run("user", "role", "ann", "--remove", "admin", "--remove", "guide")
    assert removed.stdout == "ann: no roles\n"


def test_mistakes(shop: Path, run: Run) -> None:
    """What cannot be done is one sentence on standard error and exit code 2."""
    run("user", "add", "--stdin", "ann", input=PASSWORD)
    again = run("user", "add", "--stdin", "Ann", input=PASSWORD)
    assert failure(again) == "buttress: There is a user ann already.\n"
    assert "no name" in failure(run("user", "add", "--stdin", "a b", input=PASSWORD))
    assert "cannot be empty" in failure(run("user", "add", "--stdin", "bob", input=""))
    assert "too short" in failure(run("user", "add", "--stdin", "bob", input="Piste 7"))
    for words in (("disable",), ("enable",), ("role", "--add", "x"), ("passwd",)):
        refused = failure(run("user", *words, "bob", input=TWICE))
        assert refused == "buttress: There is no user 'bob'.\n"
    assert "is no role" in failure(run("user", "role", "ann", "--add", "a\nb"))
    assert len(lines(run("user", "list"))) == 2


def test_a_name_that_is_taken(shop: Path, run: Run) -> None:
    """Who is there already is told before a password is asked for."""
    run("user", "add", "--stdin", "ann", input=PASSWORD)
    again = run("user", "add", "Ann")
    assert failure(again) == "buttress: There is a user ann already.\n"


@pytest.mark.filterwarnings("ignore")
def test_no_terminal(shop: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a password would be shown while it is typed, the command says what to do."""

    def prompt(*_: object, **__: object) -> None:
        warnings.warn("Can not control echo on the terminal.", GetPassWarning, stacklevel=1)

    monkeypatch.setattr("buttress.auth.cli.click.prompt", prompt)
    refused = failure(run("user", "add", "ann"))
    assert (
        refused == "buttress: There is no terminal to ask for the password: give it by --stdin.\n"
    )


def test_the_list_as_json(shop: Path, run: Run) -> None:
    """A script gets the list as JSON."""
    run("user", "add", "--stdin", "--role", "b c", "--role", "a", "ann", input=PASSWORD)
    (ann,) = json.loads(run("user", "list", "--json").stdout)
    assert (ann.pop("id") != "", ann) == (
        True,
        {"name": "ann", "email": None, "roles": ["a", "b c"], "active": True},
    )


@pytest.mark.parametrize(
    "words", [("add",), ("passwd",), ("disable",), ("enable",), ("role", "--add", "x")], ids=str
)
def test_users_of_a_process(project: Write, run: Run, words: tuple[str, ...]) -> None:
    """What would be forgotten with the command is refused."""
    project({"shop/main.py": OTHERS})
    refused = failure(run("user", *words, "ann"))
    assert "AUTH_USERS=memory: has the users of each process apart" in refused
    assert "AUTH_USERS=sql:" in refused


def test_users_that_are_changed_elsewhere(project: Write, run: Run) -> None:
    """What a backend cannot do is told in one sentence."""
    project({"shop/main.py": OTHERS})
    there = ("--set", "AUTH_USERS=https://id.example/whoami")
    for words in (("add", "--stdin", "ann"), ("disable", "ann"), ("list",)):
        assert "they are listed and changed there" in failure(
            run("user", *words, *there, input=PASSWORD)
        )
    for words in (("passwd", "ann"), ("role", "ann")):
        assert "tells of 'ann' with a password only" in failure(run("user", *words, *there))


def test_the_list_has_a_limit(shop: Path, run: Run) -> None:
    """The list shows as many as asked for, by name."""
    for name in ("cleo", "bob", "ann"):
        run("user", "add", "--stdin", name, input=PASSWORD)
    assert [row[0] for row in lines(run("user", "list", "--limit", "2"))] == ["NAME", "ann", "bob"]


def test_tables_that_are_not_made_yet(project: Write, run: Run) -> None:
    """Before the migrations have run, the command says what to run."""
    project({"shop/main.py": MAIN})
    assert "run `buttress db upgrade`" in failure(run("user", "list"))


def test_an_application_without_users(project: Write, run: Run) -> None:
    """An application that has no users says so."""
    project({"shop/main.py": "from buttress import create_app\napp = create_app('shop')\n"})
    assert "shop has no 'auth'" in failure(run("user", "list"))


def test_a_database_that_is_down(shop: Path, run: Run) -> None:
    """Users that cannot be asked are one sentence and exit code 1."""
    url = "postgresql+psycopg://ann:x@127.0.0.1:1/resort"
    result = run("user", "list", "--set", f"DB_URL={url}")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "The users cannot be asked: The database does not answer." in result.stderr
