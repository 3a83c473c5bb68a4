"""Hashes of passwords."""

from __future__ import annotations

import logging
import os
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any

import argon2
import pytest
from argon2 import low_level
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st

from buttress.auth.passwords import Passwords, below_floor
from buttress.auth.settings import AuthSettings
from buttress.auth.users import LONGEST_PASSWORD
from buttress.errors import ConfigError, Unavailable
from tests.auth.conftest import CHEAP
from tests.corpora import corpus
from tests.services import Make

#: What the Gnar Gear document gives as its defaults, and what its code had.
GNAR_DOCUMENTED = argon2.PasswordHasher(2, 512, 2, 16, 16, type=argon2.Type.I)

NO_HASHES: dict[str, Any] = {
    "nothing": "",
    "a word": "password",
    "None": None,
    "a number": 5,
    "bytes": b"$argon2id$v=19$m=8,t=1,p=1$YWFhYWFhYWE$YWFhYWFhYWE",
    "bcrypt": "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
    "only the kind": "$argon2id$",
    "too little memory": "$argon2id$v=19$m=1,t=1,p=1$YWFhYWFhYWE$YWFhYWFhYWE",
    "no pass": "$argon2id$v=19$m=8,t=0,p=1$YWFhYWFhYWE$YWFhYWFhYWE",
    "no base64": "$argon2id$v=19$m=8,t=1,p=1$!$!",
    "no hash": "$argon2id$v=19$m=8,t=1,p=1$YWFhYWFhYWE$",
    "another version": "$argon2id$v=99$m=8,t=1,p=1$YWFhYWFhYWE$YWFhYWFhYWE",
    "letters beyond ASCII": "$argon2id$v=19$m=8,t=1,p=1$YWFhYWFhYWé$YWFhYWFhYWE",
    "half a character": "$argon2id$\ud800",
    "too long": "$argon2id$" + "x" * 1_000_000,
}
NO_PASSWORDS: dict[str, Any] = {
    "nothing": "",
    "None": None,
    "a number": 5,
    "bytes": b"right",
    "half a character": "\ud800",
    "too long": "x" * (LONGEST_PASSWORD + 1),
}


def costs(
    memory: int,
    passes: int,
    *,
    kind: str = "id",
    version: int = 19,
    salt: int = 16,
    size: int = 32,
) -> str:
    """Write a hash of these costs."""
    parts = ("A" * (length * 4 // 3 + (length % 3 > 0)) for length in (salt, size))
    return "$".join((f"$argon2{kind}", f"v={version}", f"m={memory},t={passes},p=1", *parts))


New = Callable[[AuthSettings, str], Passwords]


@pytest.fixture
def new() -> Iterator[New]:
    """Give a function that makes passwords, whose threads end with the test."""
    with ExitStack() as stack:
        yield lambda *given: stack.enter_context(closing(Passwords(*given)))


@pytest.fixture(scope="module")
def shared() -> Iterator[Passwords]:
    """Give passwords for all examples of a property; their thread is there before the test."""
    with closing(Passwords(CHEAP, "development")) as made:
        made.burn()
        yield made


def settings(**changes: Any) -> AuthSettings:
    """Give settings with cheap costs."""
    return AuthSettings(**{"argon2_memory_cost": 8, "argon2_time_cost": 1, **changes})


def test_a_hash_has_the_parameters_of_the_settings(new: New) -> None:
    """A hash is one of Argon2id, with the costs and lengths that the settings say."""
    made = settings(argon2_parallelism=2, argon2_memory_cost=16, argon2_hash_len=24)
    found = argon2.extract_parameters(new(made, "development").hash("right"))
    expected = argon2.Parameters(argon2.Type.ID, 19, 16, 24, 1, 16, 2)
    assert found == expected


def test_the_defaults_are_safe(new: New) -> None:
    """Nothing need be configured in production: 19 MiB, two passes, one lane."""
    hashed = new(AuthSettings(), "production").hash("right")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_password_is_right_or_wrong(passwords: Passwords) -> None:
    """The right password verifies, any other does not, and a hash is never made twice."""
    first, second = passwords.hash("right"), passwords.hash("right")
    assert first != second
    assert passwords.verify(first, "right")
    assert passwords.verify(second, "right")
    assert not passwords.verify(first, "Right")
    assert "right" not in first


def test_an_empty_password_is_not_hashed(passwords: Passwords) -> None:
    """An empty password is refused in the words that the Gnar Gear document has."""
    with pytest.raises(ValueError, match=r"^Password cannot be empty$"):
        passwords.hash("")


def test_a_password_that_is_too_long_is_not_hashed(passwords: Passwords) -> None:
    """The longest password is hashed, one letter more is refused."""
    longest = "x" * LONGEST_PASSWORD
    assert passwords.verify(passwords.hash(longest), longest)
    with pytest.raises(ValueError, match=r"at most 1024 characters"):
        passwords.hash(longest + "x")


def test_half_a_character_is_not_hashed(passwords: Passwords) -> None:
    """What the encoding does not have is refused, in words that do not repeat it."""
    with pytest.raises(ValueError, match=r"characters of utf-8") as caught:
        passwords.hash("right\ud800")
    assert "right" not in str(caught.value)


def test_bytes_are_no_password(passwords: Passwords) -> None:
    """Bytes are refused when they are hashed, since they would never verify."""
    with pytest.raises(TypeError, match=r"not bytes"):
        passwords.hash(b"right")  # type: ignore[arg-type]  # the mistake


@pytest.mark.parametrize("hashed", NO_HASHES.values(), ids=NO_HASHES)
def test_what_is_no_hash_is_never_right(passwords: Passwords, hashed: Any) -> None:
    """A hash that is malformed or foreign is false, and raises nothing."""
    assert passwords.verify(hashed, "right") is False


@pytest.mark.parametrize("password", NO_PASSWORDS.values(), ids=NO_PASSWORDS)
def test_what_is_no_password_is_never_right(passwords: Passwords, password: Any) -> None:
    """What cannot be a password is false, and raises nothing."""
    assert passwords.verify(passwords.hash("right"), password) is False
    assert not passwords.takes(password)


@runs(deadline=None)
@given(
    st.one_of(st.text(), st.from_regex(r"\$argon2(id|i|d)\$v=1[69]\$m=\d,t=\d,p=\d\$\w*\$\w*")),
    st.text(),
)
def test_verifying_never_raises(shared: Passwords, hashed: str, password: str) -> None:
    """Whatever is said to be a hash and a password, the answer is no."""
    assert shared.verify(hashed, password) is False


def test_a_hash_that_cannot_be_verified_is_logged(
    passwords: Passwords, caplog: pytest.LogCaptureFixture
) -> None:
    """Where Argon2 itself fails, the log says why; a wrong password is no failure."""
    passwords.verify(passwords.hash("right"), "wrong")
    assert caplog.messages == []
    passwords.verify(NO_HASHES["too little memory"], "right")
    assert caplog.messages == ["A password could not be verified: Memory cost is too small"]


def test_hashes_of_gnar(new: New) -> None:
    """A hash by Gnar's documented profile verifies, and is to be made anew."""
    passwords = new(AuthSettings(), "production")
    hashed = GNAR_DOCUMENTED.hash("right")
    assert hashed.startswith("$argon2i$v=19$m=512,t=2,p=2$")
    assert (passwords.verify(hashed, "right"), passwords.verify(hashed, "wrong")) == (True, False)
    assert passwords.needs_rehash(hashed)


@pytest.mark.parametrize(
    ("hashed", "weak"),
    [
        (costs(19_456, 2), False),
        (costs(19_455, 2), True),
        (costs(19_456, 1), True),
        (costs(19_456, 2, size=16), True),
        (costs(19_456, 2, salt=8), True),
        (costs(102_400, 2), False),
        (costs(65_536, 1), False),
        (costs(8, 1000), False),
        (costs(19_456, 2, kind="i"), True),
        (costs(102_400, 2, kind="d"), True),
        (costs(19_456, 2, version=16), True),
        (costs(19_456, 2).replace("p=1", "p=8"), False),
        ("{SSHA}x", True),
    ],
    ids=range(13),
)
def test_what_is_hashed_anew(new: New, hashed: str, weak: bool) -> None:
    """A weaker hash is made anew, and no hash is replaced by one of less memory or passes."""
    assert new(AuthSettings(), "production").needs_rehash(hashed) is weak


def test_the_hasher_is_that_of_argon2(passwords: Passwords) -> None:
    """The hasher is argon2-cffi's: it verifies what that made, and raises its errors."""
    hashed = argon2.PasswordHasher(1, 8, 1).hash("right")
    assert isinstance(passwords.hasher, argon2.PasswordHasher)
    assert passwords.hasher.verify(hashed, "right") is True
    with pytest.raises(VerifyMismatchError):
        passwords.hasher.verify(hashed, "wrong")
    with pytest.raises(InvalidHashError):
        passwords.hasher.verify("x", "wrong")
    assert argon2.PasswordHasher().verify(passwords.hasher.hash("right"), "right")
    assert passwords.hasher.check_needs_rehash(hashed) is False


def test_an_encoding_of_the_settings(new: New) -> None:
    """Passwords are encoded as the settings say, and what that lacks is no password."""
    passwords = new(settings(argon2_encoding="latin-1"), "development")
    assert passwords.verify(argon2.PasswordHasher(1, 8, 1).hash(b"\xe9"), "é")
    assert passwords.verify(passwords.hash("é"), "\N{SNOWMAN}") is False
    with pytest.raises(ValueError, match=r"characters of latin-1"):
        passwords.hash("\N{SNOWMAN}")


@pytest.mark.parametrize("mode", ["production", "testing"])
def test_weak_parameters_stop_the_start(new: New, mode: str) -> None:
    """Outside of development each parameter below the floor is a problem that names it."""
    with pytest.raises(ConfigError) as caught:
        new(CHEAP, mode)
    assert caught.value.problems == (
        "ARGON2_MEMORY_COST=8 is below 19456: leave it out, or raise it.",
        "ARGON2_TIME_COST=1 is below 2: leave it out, or raise it.",
    )


def test_weak_parameters_in_development(new: New, caplog: pytest.LogCaptureFixture) -> None:
    """In development they are one warning."""
    new(CHEAP, "development")
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "ARGON2_MEMORY_COST=8" in record.getMessage()


def test_the_floor_itself_is_enough() -> None:
    """The floor is no problem, and neither is anything above it."""
    assert below_floor(AuthSettings()) == []
    assert below_floor(settings(argon2_memory_cost=65_536, argon2_time_cost=3)) == []


class Slow:
    """Stand in for the computation of hashes, which ends when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.most = 0
        self.end = threading.Event()
        self._lock = threading.Lock()
        for name in ("hash", "verify"):
            monkeypatch.setattr(argon2.PasswordHasher, name, self)

    def __call__(self, *_: object, **__: object) -> bool:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.end.wait(10)
        with self._lock:
            self.now -= 1
        return True

    def wait_for(self, number: int) -> None:
        """Wait until so many compute."""
        end = time.monotonic() + 10
        while self.now < number and time.monotonic() < end:
            time.sleep(0.001)
        assert self.now == number


def test_only_so_many_at_once(new: New, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many hashes are computed at once as the settings allow, whoever asks; others wait."""
    slow = Slow(monkeypatch)
    passwords = new(settings(argon2_at_once=2), "development")
    ask = [lambda: passwords.verify("x", "y"), lambda: passwords.hash("y"), passwords.burn]
    ask.append(lambda: passwords.hasher.verify("x", "y"))
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(each) for each in ask * 2]
        slow.wait_for(2)
        slow.end.set()
        for each in asked:
            each.result()
    assert slow.most == 2


def test_who_waits_too_long(new: New, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who gets no turn in time is told to come back, and a turn that is given back is free."""
    slow = Slow(monkeypatch)
    passwords = new(settings(argon2_at_once=1, argon2_wait=0.05), "development")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(passwords.verify, "x", "y")
        slow.wait_for(1)
        for late in (lambda: passwords.verify("x", "y"), lambda: passwords.hash("y")):
            with pytest.raises(Unavailable) as caught:
                late()
            assert (caught.value.code, caught.value.retry_after) == (503, 1)
        slow.end.set()
        assert first.result() is True
    assert passwords.verify("x", "y") is True


def test_errors_give_their_turn_back(new: New) -> None:
    """A wrong password or a malformed hash keeps no turn."""
    passwords = new(settings(argon2_at_once=1, argon2_wait=0.05), "development")
    right = passwords.hash("right")
    for hashed in (right, "x", NO_HASHES["too little memory"]) * 2:
        passwords.verify(hashed, "wrong")
    assert passwords.verify(right, "right")


def test_a_fork_has_threads_of_its_own(new: New) -> None:
    """A process verifies passwords although the one it was forked from has done so before."""
    passwords = new(settings(), "development")
    hashed = passwords.hash("right")
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        os._exit(0 if passwords.verify(hashed, "right") else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_after_the_end(new: New) -> None:
    """The threads end with the service; a password that is hashed later begins new ones."""
    passwords, before = new(settings(), "development"), threading.active_count()
    hashed = passwords.hash("right")
    passwords.close()
    assert threading.active_count() == before
    assert passwords.verify(hashed, "right")


def test_a_deadline_shortens_the_wait(
    new: New, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for an answer for a moment only does not wait for a turn for longer."""
    slow = Slow(monkeypatch)
    passwords = new(settings(argon2_at_once=1, argon2_wait=30), "development")
    app = make(extensions=["log", "web"], REQUEST_DEADLINE=0.05)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(passwords.verify, "x", "y")
        slow.wait_for(1)
        began = time.monotonic()
        with app.test_request_context("/"), pytest.raises(Unavailable):
            passwords.verify("x", "y")
        slow.end.set()
    assert time.monotonic() - began < 5


def test_nobodys_hash_costs_what_a_new_one_does(new: New, monkeypatch: pytest.MonkeyPatch) -> None:
    """For an unknown user one hash of the present parameters is verified, with success never."""
    odd = {"argon2_memory_cost": 32, "argon2_time_cost": 3, "argon2_parallelism": 2}
    odd |= {"argon2_hash_len": 25, "argon2_salt_len": 18}
    passwords = new(settings(**odd), "development")
    seen: list[Any] = []
    verify = passwords.hasher.verify
    record = lambda hashed, password: (seen.append(hashed), verify(hashed, password))[1]  # noqa: E731  # short
    monkeypatch.setattr(passwords.hasher, "verify", record)
    assert passwords.burn() is None
    passwords.burn()
    [hashed, again] = seen
    expected = argon2.extract_parameters(passwords.hash("x"))
    assert (argon2.extract_parameters(hashed), again) == (expected, hashed)
    with pytest.raises(VerifyMismatchError):
        verify(hashed, "password")


def test_the_published_vector() -> None:
    """Argon2id gives the tag of the published vector, the one of RFC 9106, 5.3."""
    (memory, passes, lanes, size), given = vector()
    out = low_level.ffi.new(f"uint8_t[{size}]")
    context = {"out": out, "outlen": size, "t_cost": passes, "m_cost": memory, "lanes": lanes}
    context |= {"threads": lanes, "version": low_level.ARGON2_VERSION}
    fields = {"pwd": "Password", "salt": "Salt", "secret": "Secret", "ad": "Associated data"}
    kept = []  # while C looks at them
    for field, name in fields.items():
        kept.append(low_level.ffi.new("uint8_t[]", given[name]))
        context |= {field: kept[-1], f"{field}len": len(given[name])}
    made = low_level.ffi.new("argon2_context *", context)
    assert low_level.core(made, argon2.Type.ID.value) == low_level.lib.ARGON2_OK
    assert bytes(out) == given["Tag"]


def vector() -> tuple[list[int], dict[str, bytes]]:
    """Read the published vector: its costs and the size of its tag, and what goes in and out."""
    lines = corpus("argon2id/argon2id").read_text(encoding="utf-8").splitlines()
    costs = next(line for line in lines if line.startswith("Memory:"))
    numbers = [int(word) for word in costs.replace(",", "").split() if word.isdigit()]
    names = ("Password", "Salt", "Secret", "Associated data", "Tag")
    pairs = (line.partition(":") for line in lines if line.startswith(names))
    return numbers, {name.partition("[")[0]: bytes.fromhex(value) for name, _, value in pairs}


@pytest.mark.proof
def test_it_costs_what_argon2_costs(new: New) -> None:
    """A verification, and one for nobody, take within 5 % of what argon2-cffi alone takes."""
    passwords, alone = new(AuthSettings(), "production"), argon2.PasswordHasher(2, 19_456, 1)
    hashed = passwords.hash("right")
    asked = {
        "alone": lambda: alone.verify(hashed, "right"),
        "ours": lambda: passwords.verify(hashed, "right"),
        "nobody": passwords.burn,
    }
    taken: dict[str, list[int]] = {name: [] for name in asked}
    for _ in range(300):
        for name, ask in asked.items():
            began = time.process_time_ns()
            ask()
            taken[name].append(time.process_time_ns() - began)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    assert medians["ours"] / medians["alone"] == pytest.approx(1, abs=0.05), medians
    assert medians["nobody"] / medians["alone"] == pytest.approx(1, abs=0.05), medians
