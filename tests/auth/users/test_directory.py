"""Users as requests need them."""

from __future__ import annotations

import pytest

from buttress.auth.passwords import Passwords
from buttress.auth.users import UnknownUser, User
from buttress.auth.users.directory import Directory, WatchedUsers
from buttress.auth.users.memory import MemoryUsers


class Counted(MemoryUsers):
    """Users that count how often they are asked, and may be changed meanwhile."""

    asked = 0
    meanwhile = staticmethod(lambda: None)

    def get(self, name: str) -> User | None:
        """Count, and find."""
        self.asked += 1
        found = super().get(name)
        self.meanwhile()
        return found


@pytest.fixture
def counted(passwords: Passwords) -> Counted:
    """Give users, among them ada."""
    made = Counted(passwords)
    made.create("ada", "powder", roles=["guide", "patrol"])
    return made


@pytest.fixture
def directory(counted: Counted) -> Directory:
    """Give a directory that remembers for a minute."""
    return Directory(counted, {"guide": ["a", "b"], "patrol": ["b", "c"]}, 60)


@pytest.fixture
def users(counted: Counted, directory: Directory) -> WatchedUsers:
    """Give the users as a service has them."""
    return WatchedUsers(counted, directory.forget)


def test_asked_once(directory: Directory, counted: Counted) -> None:
    """Who is known, or is not, is remembered."""
    assert [directory.look(name) is None for name in ("ada", "bob", "ada", "bob")] == [
        False,
        True,
        False,
        True,
    ]
    assert counted.asked == 2


def test_scopes(directory: Directory) -> None:
    """The scopes are those of all roles."""
    ada = directory.get("ada")
    assert ada is not None
    assert directory.scopes_of(ada) == {"a", "b", "c"}


def test_changes_are_known_at_once(directory: Directory, users: WatchedUsers) -> None:
    """Whatever is changed here is known here at once, by each name of the user."""
    assert (directory.get("ada") is None, directory.get("ADA") is None) == (False, False)
    users.update("ada", active=False)
    assert (directory.get("ada"), directory.get("ADA")) == (None, None)
    users.update("ada", active=True)
    assert directory.get("ada") is not None
    users.change_password("ada", "fresh")
    assert directory.get("ada").revision == 3  # type: ignore[union-attr]  # it is there
    users.delete("ada")
    assert directory.look("ada") is None
    users.create("ada", "another")
    assert directory.look("ada") is not None


def test_a_change_while_somebody_asks(
    directory: Directory, users: WatchedUsers, counted: Counted
) -> None:
    """An answer that was found before a change is not remembered after it."""

    def disable() -> None:
        counted.meanwhile = staticmethod(lambda: None)
        users.update("ada", active=False)

    counted.meanwhile = staticmethod(disable)
    assert directory.get("ada") is not None
    assert directory.get("ada") is None


def test_the_rest_is_the_backends(users: WatchedUsers) -> None:
    """All else is the backend's own, its errors too."""
    assert (users.name, users.info("ada")["name"]) == ("memory", "ada")
    with pytest.raises(UnknownUser):
        users.update("bob", active=False)
    with pytest.raises(AttributeError):
        _ = users.nothing_of_the_kind
