"""Attempts in a database, of each kind."""

from __future__ import annotations

from typing import Any

import pytest

from buttress.auth.attempts import WINDOW, Pace
from buttress.auth.attempts.sql import SqlAttempts
from buttress.auth.statements import Params
from buttress.db import Database
from buttress.testing.contracts.attempts import *  # noqa: F403  # the contract
from buttress.testing.contracts.attempts import NOW


@pytest.mark.parametrize(("later", "expected"), [(0.25, 3), (WINDOW, 2)])
def test_two_processes_in_step(
    attempts: SqlAttempts,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    later: float,
    expected: int,
) -> None:
    """An attempt that another process counts between reading and writing is not lost."""
    pace, other = Pace(free=9, most=9, longest=1.0), SqlAttempts(database)
    attempts.take("ada", pace, NOW)
    find = attempts._statements.one

    def between(sql: str, params: Params) -> Any:
        row = find(sql, params)
        monkeypatch.undo()
        other.take("ada", pace, NOW + later)
        return row

    monkeypatch.setattr(attempts._statements, "one", between)
    attempts.take("ada", pace, NOW + later)
    assert database.one("SELECT number FROM buttress_attempt") == expected


@pytest.fixture
def attempts(database: Database) -> SqlAttempts:
    """Give an empty store."""
    database.run("DELETE FROM buttress_attempt")
    return SqlAttempts(database)
