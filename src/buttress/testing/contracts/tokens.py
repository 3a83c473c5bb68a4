"""What every store of tokens must do; a fixture ``tokens`` gives an empty one."""

from __future__ import annotations

from buttress.auth.tokens import Token, Tokens


def token(token_id: str, owner_id: str = "1", kind: str = "api", **more: object) -> Token:
    """Make a token."""
    plain: dict[str, object] = {
        "owner": "ada",
        "revision": 1,
        "label": "ski pass 🎿",
        "scopes": frozenset({"read:lifts", "read:pistes"}),
        "digest": "d" * 64,
        "created": 1000.5,
        "expires": 2000.25,
    }
    return Token(id=token_id, owner_id=owner_id, kind=kind, **{**plain, **more})  # type: ignore[arg-type]  # of many types


def test_what_is_kept(tokens: Tokens) -> None:
    """A token is given back as it was, and others are not there."""
    first, second = token("a"), token("b", scopes=None, label="")
    tokens.add(first)
    tokens.add(second)
    assert (tokens.get("a"), tokens.get("b"), tokens.get("c")) == (first, second, None)


def test_no_scopes_are_not_all_scopes(tokens: Tokens) -> None:
    """A token that may nothing stays so."""
    tokens.add(token("a", scopes=frozenset()))
    found = tokens.get("a")
    assert found is not None
    assert found.scopes == frozenset()


def test_the_list_of_an_owner(tokens: Tokens) -> None:
    """Each owner's are listed by kind, the newest first."""
    for token_id, created in {"a": 1.0, "b": 3.0, "c": 2.0}.items():
        tokens.add(token(token_id, created=created))
    tokens.add(token("d", owner_id="2"))
    tokens.add(token("e", kind="session"))
    assert [it.id for it in tokens.of("1", "api")] == ["b", "c", "a"]


def test_only_the_owner_removes(tokens: Tokens) -> None:
    """A token is removed once, and by no other owner."""
    tokens.add(token("a"))
    assert [tokens.remove("a", "2"), tokens.remove("a", "1"), tokens.remove("a")] == [
        False,
        True,
        False,
    ]


def test_all_of_an_owner(tokens: Tokens) -> None:
    """All tokens of an owner are removed, of one kind or of all."""
    for token_id, kind in {"a": "api", "b": "session", "c": "session"}.items():
        tokens.add(token(token_id, kind=kind))
    tokens.add(token("d", owner_id="2"))
    assert (tokens.remove_all("1", "session"), tokens.remove_all("1")) == (2, 1)
    assert tokens.get("d") is not None


def test_use_is_noted(tokens: Tokens) -> None:
    """When a token was used last is known."""
    tokens.add(token("a"))
    tokens.touch("a", 1500.5)
    found = tokens.get("a")
    assert found is not None
    assert found.used == 1500.5


def test_what_has_expired_is_forgotten(tokens: Tokens) -> None:
    """What has expired is forgotten at its end, not before."""
    tokens.add(token("a", expires=10.0))
    tokens.add(token("b", expires=11.0))
    assert tokens.forget(10.0) == 1
    assert (tokens.get("a"), tokens.get("b") is None) == (None, False)
