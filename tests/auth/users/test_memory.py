"""Users in memory."""

from __future__ import annotations

import pytest

from buttress.auth.passwords import Passwords
from buttress.auth.users.memory import MemoryUsers
from buttress.testing.contracts.kept_users import *  # noqa: F403  # the contract
from buttress.testing.contracts.users import *  # noqa: F403  # the contract
from buttress.testing.contracts.users import PASSWORD, AddUser
from tests.auth.strings import naughty


@pytest.fixture
def users(passwords: Passwords) -> MemoryUsers:
    """Give users in memory."""
    return MemoryUsers(passwords)


@pytest.fixture
def add_user(users: MemoryUsers) -> AddUser:
    """Give the function that makes one."""
    return users.create


def test_strings_that_break_others(users: MemoryUsers) -> None:
    """Any published awkward string is a password like others, and hardly one is a name."""
    users.create("ann", PASSWORD)
    for text in naughty():
        if text:
            assert users.change_password("ann", text)
            assert users.authenticate("ann", text) is not None
            assert users.authenticate(text, PASSWORD) is None
    assert [it.name for it in users.all()] == ["ann"]


def test_a_change_is_that_of_one_user(
    users: MemoryUsers, passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow change of a password does not reach a new user of the old name."""
    users.create("ann", PASSWORD)
    hash_it = passwords.hash

    def hash_slowly(password: str) -> str:
        monkeypatch.undo()
        users.delete("ann")
        users.create("ann", "somebody else")
        return hash_it(password)

    monkeypatch.setattr(passwords, "hash", hash_slowly)
    assert users.change_password("ann", "Piste 8 is open", old=PASSWORD) is False
    assert users.authenticate("ann", "somebody else") is not None
