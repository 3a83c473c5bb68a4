"""Tokens in memory."""

from __future__ import annotations

import pytest

from buttress.auth.tokens import Tokens
from buttress.auth.tokens.memory import MemoryTokens
from buttress.testing.contracts.tokens import *  # noqa: F403  # the contract


@pytest.fixture
def tokens() -> Tokens:
    """Give an empty store."""
    return MemoryTokens()
