"""The header ``Authorization``, and signed tokens in it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from buttress.auth import Principal, Refused, Trace
from buttress.auth.authenticators.bearer import Bearer, Verified, bearer_of, scopes_in
from buttress.auth.passwords import Passwords
from buttress.auth.users.directory import Directory
from buttress.auth.users.memory import MemoryUsers


def request_of(value: str | None) -> Request:
    """Make a request with this header."""
    headers = {} if value is None else {"Authorization": value}
    return Request(EnvironBuilder(headers=headers).get_environ())


@pytest.fixture
def users(passwords: Passwords) -> MemoryUsers:
    """Give users, among them ada, a guide, and eve, who is disabled."""
    made = MemoryUsers(passwords)
    made.create("ada", "powder", roles=["guide"])
    made.create("eve", "powder", roles=["guide"])
    made.update("eve", active=False)
    return made


def recognised(users: MemoryUsers, claims: dict[str, Any], *, own: bool = True) -> Principal | None:
    """Recognise who has a token with these claims."""
    directory = Directory(users, {"guide": ["read:pistes"]}, 0)
    bearer = Bearer(lambda _: Verified(claims, own), directory, "Resort")
    return bearer.authenticate(request_of("Bearer a.b.c"), Trace())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("Basic x", None),
        ("Bearer", ""),
        ("Bearer ", ""),
        ("bearer x", "x"),
        ("BEARER   x ", "x"),
        ("Bearer x, Bearer y", "x, Bearer y"),
        ("Bearer\tx", None),
        ("Bearerx", None),
        ("Token x", None),
        ("Bearer \xff\x00", "\xff\x00"),
    ],
)
def test_the_token_in_the_header(value: str | None, expected: str | None) -> None:
    """The scheme's case does not matter; whatever follows it is one token."""
    request = request_of("")
    if value is None:
        del request.environ["HTTP_AUTHORIZATION"]
    else:
        request.environ["HTTP_AUTHORIZATION"] = value
    assert bearer_of(request) == expected


def test_tokens_elsewhere_are_not_looked_at() -> None:
    """Neither the query nor a form has tokens."""
    data = {"access_token": "x"}
    built = EnvironBuilder("/?access_token=x", method="POST", data=data)
    assert bearer_of(Request(built.get_environ())) is None


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, None),
        ({"scope": "a b  c"}, {"a", "b", "c"}),
        ({"scp": ["a", "b"]}, {"a", "b"}),
        ({"scopes": ["a", 1, None, ["b"]]}, {"a"}),
        ({"scope": None}, set()),
        ({"scope": {"a": 1}}, set()),
        ({"scope": True, "scp": 7}, set()),
        ({"scope": "a", "scopes": ["b"]}, {"a", "b"}),
    ],
)
def test_scopes_of_claims(claims: dict[str, Any], expected: set[str] | None) -> None:
    """Claims that are no words give no scopes, and never those of the roles."""
    assert scopes_in(claims) == expected


def test_roles_of_a_user(users: MemoryUsers) -> None:
    """A token of our own that says nothing of scopes has those of the user's roles."""
    ada = recognised(users, {"sub": "ada"})
    assert ada is not None
    assert (ada.id, ada.scopes) == ("ada", {"read:pistes"})
    narrowed = recognised(users, {"sub": "ada", "scope": ""})
    assert narrowed is not None
    assert narrowed.scopes == frozenset()


def test_what_another_issuer_calls_a_subject(users: MemoryUsers) -> None:
    """The subject of another issuer is not our user of that name."""
    other = recognised(users, {"sub": "ada"}, own=False)
    assert other is not None
    assert other.scopes == frozenset()


@pytest.mark.parametrize("name", ["eve", "EVE", "\uff45ve"])
def test_a_disabled_user(users: MemoryUsers, name: str) -> None:
    """A token of a disabled user is refused, however the name is written."""
    with pytest.raises(Refused, match="is disabled"):
        recognised(users, {"sub": name})


@pytest.mark.parametrize("claims", [{}, {"sub": ""}, {"sub": 7}, {"sub": None}, {"sub": ["ada"]}])
def test_no_subject(users: MemoryUsers, claims: dict[str, Any]) -> None:
    """A token speaks of somebody."""
    with pytest.raises(Refused, match="no subject"):
        recognised(users, claims)
