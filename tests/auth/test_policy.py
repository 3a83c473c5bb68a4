"""What routes ask for."""

from __future__ import annotations

import pytest

from buttress.auth import Principal
from buttress.auth.policy import KNOWN, PUBLIC, policy


def guide(*scopes: str) -> Principal:
    """Give somebody with scopes."""
    return Principal(id="ada", scopes=frozenset(scopes))


def test_all_scopes_are_needed() -> None:
    """Of the scopes that are asked for together none may be missing."""
    asked = policy(["read:lifts", "read:pistes"])
    assert asked.missing(guide("read:lifts", "read:pistes", "x")) == ()
    assert asked.missing(guide("read:lifts")) == ("read:pistes",)


def test_one_alternative_is_enough() -> None:
    """Of alternatives one is enough; the one that lacks the fewest is named."""
    asked = policy((), ["admin", ["read:lifts", "read:pistes", "read:snow"]])
    assert asked.missing(guide("admin")) == ()
    assert asked.missing(guide("read:lifts", "read:pistes", "read:snow")) == ()
    assert asked.missing(guide("read:lifts")) == ("admin",)


def test_what_is_always_needed() -> None:
    """Scopes beside the alternatives are needed with each of them."""
    asked = policy(["resort"], ["admin", "guide"])
    assert asked.alternatives == (("resort", "admin"), ("resort", "guide"))
    assert asked.missing(guide("guide")) == ("resort",)


@pytest.mark.parametrize(
    ("held", "asked", "expected"),
    [
        ("read:*", "read:pistes", True),
        ("*", "read:pistes", True),
        ("read:p*", "read:lifts", False),
        ("read:pistes", "read:*", False),
        ("read:*", "read:*", True),
        ("READ:*", "read:pistes", False),
        ("*:pistes", "read:pistes", False),
    ],
)
def test_a_star_at_the_end(held: str, asked: str, expected: bool) -> None:
    """A scope that is held stands for all that begin so where it ends in a star, and only then."""
    assert guide(held).may(asked) is expected
    assert (policy([asked]).missing(guide(held)) == ()) is expected


@pytest.mark.parametrize("wrong", ["", "read pistes", 'a"b', "a\\b", "ö", "a\n"])
def test_what_is_no_scope(wrong: str) -> None:
    """A scope is one word of RFC 6749."""
    with pytest.raises(ValueError, match="is no scope"):
        policy([wrong])


def test_nothing_is_asked() -> None:
    """Neither no scopes nor an empty alternative opens a route."""
    with pytest.raises(ValueError, match="names no scope"):
        policy(())
    with pytest.raises(ValueError, match="would let everyone in"):
        policy((), [[]])


def test_one_word_for_alternatives() -> None:
    """A word in place of the list would be its letters, so it is refused."""
    with pytest.raises(ValueError, match=r"write any_of=\['admin'\]"):
        policy((), "admin")


def test_how_they_read() -> None:
    """Policies read as sentences do."""
    assert [str(it) for it in (PUBLIC, KNOWN, policy(["a"], ["b", ["c", "d"]]))] == [
        "public",
        "known",
        "a and b or a and c and d",
    ]
