"""Reset codes in the service's database, of each kind."""

from __future__ import annotations

import pytest

from buttress.auth.resets import ResetCodes, TooManyCodes
from buttress.auth.resets.sql import SqlResets
from buttress.db import Database
from buttress.errors import Unavailable
from buttress.testing.contracts.resets import *  # noqa: F403  # the contract
from buttress.testing.contracts.resets import ANN, BOB, WRONG, Clock
from tests.services import Make


@pytest.fixture
def resets(database: Database) -> SqlResets:
    """Give an empty store."""
    return SqlResets(database)


def test_what_is_kept(database: Database, clock: Clock) -> None:
    """Neither the code nor the user can be read from the table, and equal codes look different."""
    codes = ResetCodes(SqlResets(database), clock)
    code = codes.issue(ANN)
    codes.issue(ANN)
    text = str(database.all("SELECT * FROM buttress_reset")).upper()
    assert code not in text
    assert code.replace("-", "") not in text
    assert ANN.upper() not in text
    salts = database.all("SELECT salt FROM buttress_reset")
    assert len(set(salts)) == 2
    assert {len(salt) for salt in salts} == {32}


def test_old_codes_are_forgotten(database: Database, clock: Clock) -> None:
    """The table holds what was issued in the last hour, whoever it was for."""
    codes = ResetCodes(SqlResets(database), clock)
    for user in (ANN, BOB):
        codes.issue(user)
    clock.now += 3600
    codes.issue("eve")
    assert database.one("SELECT COUNT(*) FROM buttress_reset") == 1


def test_processes_share_codes(database: Database, clock: Clock) -> None:
    """A code that one process issued is right in another, and counted in both."""
    here, there = (ResetCodes(SqlResets(database), clock) for _ in range(2))
    codes = [here.issue(ANN), there.issue(ANN), here.issue(ANN)]
    with pytest.raises(TooManyCodes):
        there.issue(ANN)
    assert (there.redeem(ANN, codes[0]), here.redeem(ANN, codes[0])) == (True, False)


def test_a_database_that_is_down(make: Make) -> None:
    """While the database does not answer both are 503."""
    url = "postgresql+psycopg://ann:x@127.0.0.1:1/resort"
    codes = ResetCodes(SqlResets(make(extensions=["log", "db"], DB_URL=url).db))
    with pytest.raises(Unavailable):
        codes.issue(ANN)
    with pytest.raises(Unavailable):
        codes.redeem(ANN, WRONG)
