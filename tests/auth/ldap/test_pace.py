"""Logins of unknown names take as long as others."""

from __future__ import annotations

import random
import time
from statistics import median

import pytest

from buttress.auth.ldap.pace import Pace
from tests.auth.ldap.directory import shared_directory

#: SHA-512 in 20,000 rounds, as crypt(3) writes it: a hash that takes a directory its time.
SLOW = "{CRYPT}$6$rounds=20000$saltsalt$"


class Clock:
    """A clock that goes by itself a little, and as told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        """Tell the time."""
        self.now += 1e-5
        return self.now

    def sleep(self, seconds: float) -> None:
        """Go on, somewhat longer than asked for."""
        self.slept.append(seconds)
        self.now += seconds + 2e-4


def login(clock: Clock, pace: Pace, seconds: float, is_known: bool, most: float = 10) -> float:
    """Log in, and give how long that took."""
    began = pace.begin()
    clock.now += seconds
    if is_known:
        pace.known(began)
    else:
        pace.unknown(began, most)
    return clock.now - began


def test_what_is_missing_is_waited_for() -> None:
    """Where passwords are hashed for known names only, unknown ones wait that much."""
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    for _ in range(10):
        login(clock, pace, 0.05, is_known=True)
        assert login(clock, pace, 0.01, is_known=False) == pytest.approx(0.05, rel=0.01)


def test_nothing_is_waited_for_without_reason() -> None:
    """Before anybody was known, and where nothing is missing, there is no wait."""
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    login(clock, pace, 0.01, is_known=False)
    for _ in range(3):
        login(clock, pace, 0.01, is_known=True)
        login(clock, pace, 0.02, is_known=False)
    assert clock.slept == []


def test_the_wait_has_an_end() -> None:
    """Nobody waits longer than the time that a login has."""
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    login(clock, pace, 5, is_known=True)
    assert login(clock, pace, 0.01, is_known=False, most=0.1) == pytest.approx(0.11, rel=0.02)


def test_old_logins_count_no_more() -> None:
    """After the directory has become faster, so do the answers for unknown names."""
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    for seconds in (0.5, 0.01):
        for _ in range(70):
            login(clock, pace, seconds, is_known=True)
            login(clock, pace, 0.01, is_known=False)
    assert login(clock, pace, 0.01, is_known=False) == pytest.approx(0.01, rel=0.02)


@pytest.mark.proof
@pytest.mark.parametrize("hashed", ["flock-of-sheep", SLOW + "x" * 86], ids=["fast", "slow"])
def test_nobody_can_tell_by_the_time(hashed: str) -> None:
    """Real logins with known and unknown names take equally long, however slow the hashes."""
    took: dict[bool, list[float]] = {True: [], False: []}
    with shared_directory() as directory, directory.users() as users:
        for number in range(20):
            directory.person(f"known{number}", hashed)
        for number in range(500):
            for is_known in random.sample((True, False), 2):
                name = f"known{number % 20}" if is_known else f"unknown{number % 20}"
                began = time.perf_counter()
                assert users.authenticate(name, "wrong") is None
                took[is_known].append(time.perf_counter() - began)
    assert median(took[False]) == pytest.approx(median(took[True]), rel=0.1)
