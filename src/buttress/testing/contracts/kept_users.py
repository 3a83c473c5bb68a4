"""What user backends do that keep users themselves: they make, change and remove them.

A test module imports all of this and of `buttress.testing.contracts.users`, and offers the fixture
``users``, an empty backend.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from buttress.auth.users import LONGEST_PASSWORD, UnknownUser, User, UserExists, Users
from buttress.testing.contracts.users import NO_NAMES, PASSWORD

OTHER = "Piste 8 is open"
#: Different spellings of one name.
EQUAL = {
    "another case": ("ann", "ANN"),
    "wide letters": ("ann", "\uff41\uff4e\uff4e"),
    "an accent of its own": ("ren\u00e9", "rene\u0301"),
    "a sharp s": ("strau\u00df", "STRAUSS"),
    "a ligature": ("\ufb01ona", "fiona"),
    "a mail address": ("ann@a.example", "Ann@A.Example"),
}
BAD_EMAILS = {
    "nothing": "",
    "no domain": "ann@",
    "no at": "ann",
    "two": "ann@a.example, eve@e.example",
    "a newline": "ann@a.example\nBcc: eve@e.example",
    "a null": "ann@a.example\0",
    "too long": "a" * 250 + "@a.example",
}
BAD_ROLES: dict[str, Iterable[str]] = {
    "nothing": [""],
    "a newline": ["ad\nmin"],
    "a space at the end": ["admin "],
    "half a character": ["\ud800"],
    "too long": ["r" * 65],
    "too many": [f"r{number}" for number in range(101)],
}


@pytest.fixture
def ann(users: Users) -> User:
    """Make a user."""
    return users.create("ann", PASSWORD, email="ann@a.example", roles=["admin", "skier"])


def test_a_new_user(users: Users, ann: User) -> None:
    """A new user is active, has what was given, and can log in."""
    assert (ann.name, ann.email, ann.active) == ("ann", "ann@a.example", True)
    assert ann.roles == {"admin", "skier"}
    assert ann.id
    assert users.get("ann") == users.authenticate("ann", PASSWORD) == ann


@pytest.mark.parametrize("name", ["ann", "a", "a" * 128, "+49.170-1", "@ann", "渡辺", "_"])
def test_names(users: Users, name: str) -> None:
    """A name may have letters of any script, digits, and what mail addresses have."""
    assert users.create(name, PASSWORD).name == name
    assert users.authenticate(name, PASSWORD) is not None


@pytest.mark.parametrize(("name", "same"), EQUAL.values(), ids=EQUAL)
def test_a_name_that_is_taken(users: Users, name: str, same: str) -> None:
    """A name is taken in every spelling, and the first user keeps it."""
    first = users.create(name, PASSWORD)
    with pytest.raises(UserExists):
        users.create(same, OTHER)
    assert users.authenticate(same, PASSWORD) == first
    assert users.authenticate(name, OTHER) is None
    assert users.all() == [first]


def test_names_that_differ_in_an_accent(users: Users) -> None:
    """A letter with an accent is another one than without."""
    first, second = users.create("rene", PASSWORD), users.create("ren\u00e9", OTHER)
    assert users.authenticate("ren\u00e9", OTHER) == second
    assert (users.get("rene"), first.id == second.id) == (first, False)


@pytest.mark.parametrize("name", NO_NAMES.values(), ids=NO_NAMES)
@pytest.mark.usefixtures("ann")
def test_a_name_that_is_none(users: Users, name: str) -> None:
    """Nobody is made, changed or removed by what is no name."""
    before = users.all()
    if name != NO_NAMES["another letter like it"]:
        with pytest.raises(ValueError):  # noqa: PT011  # any sentence
            users.create(name, PASSWORD)
    with pytest.raises(UnknownUser):
        users.update(name, active=False)
    with pytest.raises(UnknownUser):
        users.change_password(name, OTHER)
    assert users.delete(name) is False
    assert users.all() == before


@pytest.mark.parametrize("password", ["", "x" * (LONGEST_PASSWORD + 1), "\ud800"], ids=range(3))
def test_a_password_that_cannot_be_kept(users: Users, ann: User, password: str) -> None:
    """A password that is empty, too long or half a character is refused."""
    with pytest.raises(ValueError):  # noqa: PT011  # any sentence
        users.create("bob", password)
    with pytest.raises(ValueError):  # noqa: PT011  # any sentence
        users.change_password("ann", password)
    assert users.get("bob") is None
    assert users.authenticate("ann", PASSWORD) == ann


def test_the_longest_password(users: Users) -> None:
    """A password may be as long as the limit says."""
    users.create("bob", "é" * LONGEST_PASSWORD)
    assert users.authenticate("bob", "é" * LONGEST_PASSWORD) is not None
    assert users.authenticate("bob", "é" * (LONGEST_PASSWORD - 1)) is None


def test_one_name_many_at_once(users: Users) -> None:
    """Of many who take a name at once, one gets it."""

    def create(number: int) -> str | None:
        try:
            return users.create("Ann" if number % 2 else "ann", f"Piste {number}").id
        except UserExists:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [found for found in pool.map(create, range(16)) if found]
    assert [found.id for found in users.all()] == made
    assert len(made) == 1


@pytest.mark.usefixtures("ann")
def test_a_disabled_user(users: Users) -> None:
    """Who is disabled cannot log in nor change the password, and can once enabled again."""
    assert users.update("ann", active=False).active is False
    assert users.authenticate("ann", PASSWORD) is None
    assert users.change_password("ann", OTHER, old=PASSWORD) is False
    assert users.update("ann", active=True).active is True
    assert users.authenticate("ann", PASSWORD) is not None


@pytest.mark.usefixtures("ann")
def test_a_new_password(users: Users) -> None:
    """An administrator sets a password without the old one, which is right no longer."""
    assert users.change_password("ANN", OTHER) is True
    assert users.authenticate("ann", PASSWORD) is None
    assert users.authenticate("ann", OTHER) is not None


def test_a_new_password_with_the_old_one(users: Users, ann: User) -> None:
    """A user sets a password who knows the old one, and nobody else."""
    assert users.change_password("ann", OTHER, old="wrong") is False
    assert users.change_password("ann", OTHER, old="") is False
    assert users.authenticate("ann", PASSWORD) == ann
    assert users.change_password("ann", OTHER, old=PASSWORD) is True
    assert users.change_password("ann", PASSWORD, old=PASSWORD) is False
    assert users.authenticate("ann", OTHER) is not None


@pytest.mark.usefixtures("ann")
def test_an_old_password_serves_once(users: Users) -> None:
    """Of many who change a password at once by the old one, one does."""

    def change(number: int) -> bool:
        return users.change_password("ann", f"Piste {number}", old=PASSWORD)

    with ThreadPoolExecutor(4) as pool:
        changed = list(pool.map(change, range(4)))
    assert sorted(changed) == [False, False, False, True]
    assert users.authenticate("ann", f"Piste {changed.index(True)}") is not None


def test_the_revision(users: Users, ann: User) -> None:
    """A new password and being disabled change the revision; nothing else does."""
    revisions = [ann.revision, users.update("ann", roles=[], email=None).revision]
    users.change_password("ann", OTHER)
    revisions.append(getattr(users.get("ann"), "revision", 0))
    revisions += [users.update("ann", active=active).revision for active in (False, True)]
    revisions.append(getattr(users.authenticate("ann", OTHER), "revision", 0))
    start = ann.revision
    assert [it - start for it in revisions] == [0, 0, 1, 2, 2, 2]


def test_changes(users: Users, ann: User) -> None:
    """What is changed is changed, what is not named stays, and the id too."""
    changed = users.update("Ann", email="ann@b.example")
    assert (changed.id, changed.roles) == (ann.id, ann.roles)
    assert users.update("ann", roles=["skier"]).email == "ann@b.example"
    assert users.update("ann", email=None).email is None
    assert users.update("ann") == users.get("ann")
    assert getattr(users.get("ann"), "roles", None) == {"skier"}


@pytest.mark.parametrize("change", ["name", "id", "password", "revision", "x", "email = ''; --"])
def test_what_cannot_be_changed(users: Users, ann: User, change: str) -> None:
    """What a user does not have, or has for ever, cannot be updated."""
    with pytest.raises(TypeError):
        users.update("ann", **{change: "x"})
    assert users.get("ann") == ann


@pytest.mark.parametrize("email", BAD_EMAILS.values(), ids=BAD_EMAILS)
def test_a_bad_email(users: Users, ann: User, email: str) -> None:
    """What is no mail address is not kept."""
    with pytest.raises(ValueError):  # noqa: PT011  # any sentence
        users.update("ann", email=email)
    with pytest.raises(ValueError):  # noqa: PT011  # any sentence
        users.create("bob", PASSWORD, email=email)
    assert users.all() == [ann]


@pytest.mark.parametrize("roles", BAD_ROLES.values(), ids=BAD_ROLES)
def test_bad_roles(users: Users, ann: User, roles: Iterable[str]) -> None:
    """What is no role is not kept."""
    with pytest.raises(ValueError):  # noqa: PT011  # any sentence
        users.update("ann", roles=roles)
    assert users.get("ann") == ann


@pytest.mark.parametrize(
    "change", [{"roles": "admin"}, {"active": "no"}, {"active": None}], ids=str
)
def test_values_of_another_type(users: Users, ann: User, change: dict[str, Any]) -> None:
    """A text is no list of roles, and only True and False say whether a user is active."""
    with pytest.raises(TypeError):
        users.update("ann", **change)
    assert users.get("ann") == ann


def test_roles_with_odd_letters(users: Users) -> None:
    """A role may have spaces, quotes and letters of any script."""
    roles = {"Domain Users", 'a"b', "a,b", "'; --", "Лыжник", "a:b/*"}
    assert users.create("ann", PASSWORD, roles=roles).roles == roles
    assert getattr(users.get("ann"), "roles", None) == roles


@pytest.mark.usefixtures("ann")
def test_a_user_is_removed_once(users: Users) -> None:
    """Who is removed is gone; there is nobody to remove a second time."""
    users.create("bob", PASSWORD)
    assert (users.delete("Ann"), users.delete("ann")) == (True, False)
    assert users.authenticate("ann", PASSWORD) is None
    assert [it.name for it in users.all()] == ["bob"]


def test_a_name_that_is_free_again(users: Users, ann: User) -> None:
    """Who takes the name of a user that was removed is somebody else."""
    users.delete("ann")
    again = users.create("ann", OTHER)
    assert (again.id == ann.id, again.roles) == (False, frozenset())
    assert users.authenticate("ann", PASSWORD) is None


def test_changes_of_nobody(users: Users) -> None:
    """Who is not there cannot be changed."""
    with pytest.raises(UnknownUser):
        users.update("nobody", active=False)
    with pytest.raises(UnknownUser):
        users.change_password("nobody", PASSWORD)
    with pytest.raises(UnknownUser):
        users.change_password("nobody", PASSWORD, old=OTHER)
    assert users.delete("nobody") is False


def test_the_list(users: Users) -> None:
    """The list has the names in the order of code points, and no more than asked for."""
    names = ["é", "bob", "z", "a-b", "a.b", "ab", "_", "0", "渡", "ann@a"]
    for name in names:
        users.create(name, PASSWORD)
    assert [it.name for it in users.all()] == sorted(names)
    assert [it.name for it in users.all(3)] == sorted(names)[:3]
    assert users.all(0) == []


def test_what_is_kept_of_a_user(users: Users, ann: User) -> None:
    """What is known has the id, mail address, roles and state."""
    info = users.info("Ann")
    assert (info["id"], info["name"], info["email"]) == (ann.id, "ann", "ann@a.example")
    assert (info["roles"], info["active"]) == (["admin", "skier"], True)
