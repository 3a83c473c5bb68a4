"""What attackers write where names and passwords are expected, against a real directory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache

import pytest

from buttress.auth.ldap.filter import NameFilter
from buttress.auth.ldap.users import LdapUsers
from buttress.auth.users import UnknownUser
from buttress.lifecycle import Deadline
from tests.auth.ldap.directory import Directory, shared_directory
from tests.corpora import corpus

PASSWORD = "Piste 7 is open"


@cache
def hostile() -> tuple[str, ...]:
    """Read the strings of the corpora."""
    folder = corpus("injection")
    lines = [line for file in sorted(folder.glob("*.txt")) for line in _lines(file.read_bytes())]
    return tuple(dict.fromkeys([*lines, *json.loads(corpus("naughty-strings.json").read_text())]))


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").split("\n")


@pytest.fixture(scope="module")
def directory() -> Iterator[Directory]:
    """Give a directory with two users, one of them with rights."""
    with shared_directory() as made:
        made.group("admins", made.person("admin", PASSWORD), made.person("ann", "another"))
        yield made


@pytest.fixture
def users(directory: Directory) -> Iterator[LdapUsers]:
    """Give its users."""
    with directory.users(groups=directory.groups) as users:
        yield users


def test_no_string_is_a_name(users: LdapUsers) -> None:
    """Nobody gets in by a name that is a filter, and none of them is an error."""
    for name in hostile():
        if name.strip().casefold() != "admin":
            assert users.authenticate(name, PASSWORD) is None
            assert users.get(name) is None


@pytest.mark.parametrize("step", [10, pytest.param(1, marks=pytest.mark.proof)])
def test_no_string_is_a_password(users: LdapUsers, step: int) -> None:
    """Nobody gets in by a password of an attacker's, and none of them is an error."""
    for password in hostile()[::step]:
        assert users.authenticate("admin", password) is None
        assert users.change_password("admin", "new", old=password) is False
    assert users.authenticate("admin", PASSWORD) is not None


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.proof)])
def test_no_string_is_more_than_a_value(users: LdapUsers, step: int) -> None:
    """Even where names were not looked at before, no string finds an entry that has it not."""
    names = NameFilter("(&(objectClass=inetOrgPerson)(|(uid={name})(description={name})))")
    for string in hostile()[::step]:
        found, is_all = users._search(names.of(string), Deadline(5), 10)
        assert [entry.texts("uid") for entry in found if string.lower() != "admin"] == []
        assert is_all


def test_every_string_finds_itself(directory: Directory, users: LdapUsers) -> None:
    """A value that is in the directory is found by just this value."""
    dn = directory.person("bob")
    found = 0
    for string in hostile()[::5]:
        if string.isprintable() and string.strip():
            directory.change(dn, description=string)
            text = NameFilter("(description={name})").of(string)
            found += [it.dn for it in users._search(text, Deadline(5), 10)[0]] == [dn]
    directory.ldap.delete(dn)
    assert found > 50


@pytest.mark.parametrize("name", ["*", "admin*", "adm*n", "admin)(cn=*", "\\61dmin", "admin\0"])
def test_nothing_is_known_of_a_pattern(users: LdapUsers, name: str) -> None:
    """A pattern is no name."""
    with pytest.raises(UnknownUser):
        users.info(name)
