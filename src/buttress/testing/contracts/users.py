"""What every user backend does.

A test module imports all of this and offers two fixtures: ``users``, a backend without any of the
users below, and ``add_user``, a function that makes one in whatever the backend reads:
``add_user(name, password, email=None)``. `buttress.testing.contracts.kept_users` has what backends
do that also write.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from buttress.auth.users import LONGEST_PASSWORD, UnknownUser, Users

AddUser = Callable[..., object]

PASSWORD = "Piste 7 is open"  # noqa: S105  # that of a user under test
ODD = {
    "a colon": ":",
    "a space": " ",
    "a tab": "\t",
    "Greek": "Ελληνικά",
    "a snowman": "\N{SNOWMAN}",
    "a star": "*",
    "a percent sign": "%41",
    "a quote": "'",
    "a backslash": "\\",
}
PLACES = {"start": "{}open", "middle": "op{}en", "end": "open{}"}
ODD_PASSWORDS = {
    f"{what} at the {place}": form.format(odd)
    for what, odd in ODD.items()
    for place, form in PLACES.items()
}
#: What no user is called, and what must do no harm where a name is looked for.
NO_NAMES = {
    "nothing": "",
    "a space": " ",
    "a space in it": "an n",
    "a newline": "ann\n",
    "a null": "ann\0",
    "a comment": "ann'--",
    "an OR": "' OR '1'='1",
    "a second statement": "ann'; DROP TABLE buttress_user; --",
    "a backslash": "ann\\",
    "a percent sign": "%",
    "a parameter": ":name",
    "a star": "*",
    "a filter": "*)(uid=*))(|(uid=*",
    "a part of a name": "an*",
    "a DN": "ann,ou=people",
    "half a character": "ann\ud800",
    "an escape": "\\2a",
    "another letter like it": "\N{CYRILLIC SMALL LETTER A}nn",
    "a soft hyphen": "a\N{SOFT HYPHEN}nn",
    "too long": "a" * 129,
    "much too long": "a" * 100_000,
}
NO_PASSWORDS = {
    "nothing": "",
    "a null": "\0",
    "a star": "*",
    "half a character": "\ud800",
    "another case": PASSWORD.swapcase(),
    "one letter less": PASSWORD[:-1],
    "one letter more": f"{PASSWORD}!",
    "a space more": f"{PASSWORD} ",
    "a null more": f"{PASSWORD}\0",
    "an OR": "' OR '1'='1",
    "too long": "x" * (LONGEST_PASSWORD + 1),
    "much too long": "x" * 1_000_000,
}
#: How hashes of passwords begin.
HASHES = ("argon2", "{ssha", "{crypt")


def test_the_right_password(users: Users, add_user: AddUser) -> None:
    """Who knows the password is the user, also with the name in another case."""
    add_user("ann", PASSWORD, email="ann@a.example")
    found = users.authenticate("ann", PASSWORD)
    assert found is not None
    assert (found.name, found.email, found.active) == ("ann", "ann@a.example", True)
    assert users.authenticate("ANN", PASSWORD) == found == users.get("ann")


@pytest.mark.parametrize("wrong", NO_PASSWORDS.values(), ids=NO_PASSWORDS)
def test_a_wrong_password(users: Users, add_user: AddUser, wrong: str) -> None:
    """Any other password lets nobody in."""
    add_user("ann", PASSWORD)
    assert users.authenticate("ann", wrong) is None


def test_the_password_of_another(users: Users, add_user: AddUser) -> None:
    """A password is that of one user."""
    add_user("ann", PASSWORD)
    add_user("bob", "Piste 8 is open")
    assert users.authenticate("bob", PASSWORD) is None


@pytest.mark.parametrize("wrong", NO_PASSWORDS.values(), ids=NO_PASSWORDS)
def test_an_unknown_user(users: Users, wrong: str) -> None:
    """Who is not known does not get in."""
    assert users.authenticate("nobody", wrong) is None
    assert users.authenticate("nobody", PASSWORD) is None


@pytest.mark.parametrize("password", ODD_PASSWORDS.values(), ids=ODD_PASSWORDS)
def test_odd_characters(users: Users, add_user: AddUser, password: str) -> None:
    """A password may have any character anywhere, and each of them counts."""
    add_user("ann", password)
    assert users.authenticate("ann", password) is not None
    assert users.authenticate("ann", password.strip() + "!") is None
    assert users.authenticate("ann", "open") is None


@pytest.mark.parametrize("name", NO_NAMES.values(), ids=NO_NAMES)
def test_what_is_no_name(users: Users, add_user: AddUser, name: str) -> None:
    """What is no name is the name of nobody, and does no harm."""
    add_user("ann", PASSWORD)
    assert users.authenticate(name, PASSWORD) is None
    assert users.get(name) is None
    with pytest.raises(UnknownUser):
        users.info(name)
    assert users.authenticate("ann", PASSWORD) is not None


def test_nobody_is_found(users: Users) -> None:
    """A name that nobody has finds nobody."""
    assert users.get("nobody") is None
    with pytest.raises(UnknownUser):
        users.info("nobody")


def test_the_id_stays(users: Users, add_user: AddUser) -> None:
    """A user has the same id each time, and no other user has it."""
    add_user("ann", PASSWORD)
    add_user("bob", PASSWORD)
    ids = {found.id for name in ("ann", "Ann", "bob") if (found := users.get(name))}
    assert len(ids) == 2


def test_the_information(users: Users, add_user: AddUser) -> None:
    """What is known of a user has the name, and neither the password nor a hash of it."""
    add_user("ann", PASSWORD, email="ann@a.example")
    info = users.info("ann")
    assert "ann" in str(info.values())
    assert PASSWORD not in str(info)
    assert not [mark for mark in HASHES if mark in str(info).lower()]


def test_many_threads_ask_at_once(users: Users, add_user: AddUser) -> None:
    """Each of many threads gets its own answer."""
    add_user("ann", PASSWORD)
    add_user("bob", "Piste 8 is open")
    asked = [("ann", PASSWORD), ("bob", PASSWORD), ("bob", "Piste 8 is open"), ("eve", PASSWORD)]

    def name_of(pair: tuple[str, str]) -> str | None:
        found = users.authenticate(*pair)
        return found.name if found else None

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(name_of, asked * 5)) == ["ann", None, "bob", None] * 5


def test_it_answers(users: Users) -> None:
    """A backend that works answers a ping."""
    users.ping()
