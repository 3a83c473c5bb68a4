"""Reset codes in memory."""

from __future__ import annotations

import pytest

from buttress.auth.resets.memory import MemoryResets
from buttress.testing.contracts.resets import *  # noqa: F403  # the contract


@pytest.fixture
def resets() -> MemoryResets:
    """Give an empty store."""
    return MemoryResets()
