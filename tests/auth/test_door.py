"""The door: who may try a password, and how often."""

from __future__ import annotations

import time

import pytest

from buttress import Problem, Unavailable
from buttress.auth.attempts.memory import MemoryAttempts
from buttress.auth.door import ACCOUNT, NETWORK, Caller, Door, _network
from buttress.auth.passwords import Passwords
from buttress.auth.users import LONGEST_PASSWORD, User
from buttress.auth.users.memory import MemoryUsers

PASSWORD = "powder & sun"


class Clock:
    """A clock that is set by hand, in seconds since 1970."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Counting(MemoryUsers):
    """Users that count the passwords that were looked at."""

    looked = 0
    down = False

    def authenticate(self, name: str, password: str) -> User | None:
        """Count, and look."""
        if self.down:
            raise Unavailable
        self.looked += 1
        return super().authenticate(name, password)


@pytest.fixture
def clock() -> Clock:
    """Give a clock."""
    return Clock()


@pytest.fixture
def users(passwords: Passwords) -> Counting:
    """Give users, among them ada."""
    made = Counting(passwords)
    made.create("ada", PASSWORD)
    return made


@pytest.fixture
def door(users: Counting, clock: Clock) -> Door:
    """Give a door."""
    return Door(users, MemoryAttempts(), b"k" * 32, clock)


def refused(door: Door, name: str, password: str, caller: Caller) -> int | None:
    """Try, and give the seconds that one has to wait; ``None`` where it was looked at."""
    try:
        door.enter(name, password, caller)
    except Problem as error:
        return int(error.headers["Retry-After"]) if error.code == 429 else 0
    return None


def test_the_right_password(door: Door) -> None:
    """Who knows the password comes in, in whatever case they write their name."""
    user = door.enter("ADA", PASSWORD, Caller("192.0.2.1"))
    assert user is not None
    assert user.name == "ada"


def test_the_wrong_password(door: Door) -> None:
    """A wrong password and an unknown name are the same."""
    assert door.enter("ada", "x", Caller("192.0.2.1")) is None
    assert door.enter("nobody", PASSWORD, Caller("192.0.2.1")) is None


@pytest.mark.parametrize("name", ["ada", "nobody", "a b", "\ud800", ""])
def test_too_many_attempts(door: Door, name: str) -> None:
    """After some wrong attempts the next has to wait, for known and unknown names alike."""
    waits = [refused(door, name, "x", Caller("192.0.2.1")) for _ in range(7)]
    assert waits == [None, None, None, None, None, 1, 1]


def test_many_addresses(door: Door, users: Counting, clock: Clock) -> None:
    """From however many addresses, few passwords of an account are looked at in an hour."""
    for number in range(10_000):
        address = f"198.51.{number // 250 % 250}.{number % 250}"
        refused(door, "ada", f"guess {number}", Caller(address))
        clock.now += 0.36
    assert 30 < users.looked <= 100


def test_others_are_not_slowed_down(door: Door) -> None:
    """An attack on one account leaves the others alone."""
    for number in range(50):
        refused(door, "bob", "x", Caller(f"198.51.{number}.1"))
    assert refused(door, "ada", PASSWORD, Caller("192.0.2.1")) is None


def test_a_known_device_has_its_own_budget(door: Door, clock: Clock) -> None:
    """During an attack who logged in before from this device still does."""
    user = door.enter("ada", PASSWORD, Caller("192.0.2.1"))
    assert user is not None
    device = door.device_of(user)
    for number in range(500):
        refused(door, "ada", "x", Caller(f"198.51.{number % 250}.1"))
    assert refused(door, "ada", PASSWORD, Caller("192.0.2.1")) is not None
    assert door.enter("ada", PASSWORD, Caller("192.0.2.1", device)) == user


def test_a_forged_device(door: Door, users: Counting) -> None:
    """The mark of a device is of use for its account only, and cannot be made up."""
    users.create("eve", "eve's own")
    eve = users.get("eve")
    assert eve is not None
    for device in (door.device_of(eve), "made.up", "", ".", "x" * 500):
        callers = [Caller(f"198.51.{number}.1", device) for number in range(20)]
        assert any(refused(door, "ada", "x", caller) for caller in callers)


def test_soon_after_an_attack(door: Door, clock: Clock) -> None:
    """Nobody is locked out for long: a minute after the last attempt the next is looked at."""
    for number in range(5000):
        refused(door, "ada", "x", Caller(f"198.51.{number % 250}.1"))
        clock.now += 0.5
    clock.now += ACCOUNT.longest
    assert door.enter("ada", PASSWORD, Caller("192.0.2.1")) is not None


def test_soon_after_an_attack_from_the_neighbourhood(door: Door, clock: Clock) -> None:
    """Nobody waits for more than a quarter of an hour, also behind an attacker's own address."""
    for _ in range(2000):
        refused(door, "ada", "x", Caller("192.0.2.7"))
        clock.now += 1
    clock.now += NETWORK.longest
    assert door.enter("ada", PASSWORD, Caller("192.0.2.1")) is not None


def test_who_waits_for_the_account_spends_nothing(door: Door, clock: Clock) -> None:
    """Whoever tries in vain during an attack by others may still try after it."""
    for number in range(6):
        refused(door, "ada", "x", Caller(f"198.51.{number}.1"))
    for number in range(3000):
        refused(door, "ada", "x", Caller(f"198.51.{number % 250}.1"))
        assert refused(door, "ada", PASSWORD, Caller("192.0.2.1")) is not None
        clock.now += 0.5
    clock.now += ACCOUNT.longest
    assert door.enter("ada", PASSWORD, Caller("192.0.2.1")) is not None


def test_an_outage_is_no_attempt(door: Door, users: Counting) -> None:
    """What could not be looked at is not counted."""
    users.down = True
    for _ in range(20):
        with pytest.raises(Unavailable):
            door.enter("ada", PASSWORD, Caller("192.0.2.1"))
    users.down = False
    assert door.enter("ada", PASSWORD, Caller("192.0.2.1")) is not None


def test_other_proofs_than_passwords(door: Door, users: Counting) -> None:
    """Guesses of something else are counted with those of the password, and what fails is not."""

    def fail() -> None:
        raise ValueError

    for _ in range(20):
        with pytest.raises(ValueError):  # noqa: PT011  # the one above
            door.attempt("ada", Caller("192.0.2.1"), fail)
    for _ in range(20):
        assert door.attempt("ada", Caller("192.0.2.1"), lambda: users.get("ada")) is not None
    assert [door.attempt("Ada", Caller("192.0.2.1"), lambda: None) for _ in range(4)] == [None] * 4
    assert door.enter("ada", "x", Caller("192.0.2.1")) is None
    assert refused(door, "ada", PASSWORD, Caller("192.0.2.1")) == 1


@pytest.mark.parametrize("password", ["", "x" * (LONGEST_PASSWORD + 1)])
def test_what_can_be_no_password(door: Door, users: Counting, password: str) -> None:
    """What can be no password is wrong, and takes no place among what is counted."""
    assert {door.enter("ada", password, Caller("192.0.2.1")) for _ in range(20)} == {None}
    assert users.looked == 0
    assert door.enter("ada", PASSWORD, Caller("192.0.2.1")) is not None


def test_very_long_names(door: Door) -> None:
    """A name that is made to keep the normalisation busy is refused at once."""
    name = "a" + "\u0316\u0300" * 250_000
    began = time.perf_counter()
    assert door.enter(name, "x", Caller("192.0.2.1")) is None
    assert time.perf_counter() - began < 0.5


def test_addresses_of_version_4_in_those_of_6(door: Door) -> None:
    """An address that is written as one of version 6 is in its own network."""
    waits = [refused(door, "ada", "x", Caller("::ffff:192.0.2.1")) for _ in range(5)]
    assert waits == [None] * 5
    keys = {_network(it) for it in ("::ffff:192.0.2.1", "192.0.2.9", "fe80::1%eth0", "", "unix")}
    assert keys == {"192.0.2.0/24", "fe80::/64", "", "unix"}


def test_neighbours_in_a_network(door: Door) -> None:
    """One host's many addresses of a network count as one."""
    waits = [refused(door, "ada", "x", Caller(f"2001:db8:1:2::{number}")) for number in range(1, 8)]
    assert waits[5:] == [1, 1]
