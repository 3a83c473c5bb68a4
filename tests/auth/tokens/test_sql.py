"""Tokens in a database, of each kind."""

from __future__ import annotations

import pytest

from buttress.auth.tokens import Tokens
from buttress.auth.tokens.sql import SqlTokens
from buttress.db import Database
from buttress.testing.contracts.tokens import *  # noqa: F403  # the contract
from buttress.testing.contracts.tokens import token


def test_owners_differ_by_every_letter(tokens: Tokens) -> None:
    """Nobody lists or removes what another one has whose id differs in case or accent alone."""
    tokens.add(token("a", owner_id="ada"))
    for other in ("ADA", "adá"):
        assert (tokens.of(other, "api"), tokens.remove("a", other)) == ([], False)
        assert tokens.remove_all(other) == 0


@pytest.fixture
def tokens(database: Database) -> Tokens:
    """Give an empty store."""
    database.run("DELETE FROM buttress_token")
    return SqlTokens(database)
