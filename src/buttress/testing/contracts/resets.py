"""What every store of reset codes does.

A test module imports all of this and offers the fixture ``resets``, an empty store.
"""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from buttress.auth.resets import ALPHABET, Reset, ResetCodes, Resets, TooManyCodes
from buttress.errors import Unavailable

ANN, BOB = "4ef29f5a-07b3-4f1c-a6a7-7b7c5a9a7f10", "uid=bob,ou=people,dc=piste,dc=test"
WRONG = "2222-2222-2222-2222"
NO_CODES = {
    "nothing": "",
    "dashes": "----",
    "half a character": "\ud800",
    "too long": "2" * 100_000,
    "a statement": "' OR '1'='1",
}


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000.5

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still."""
    return Clock()


@pytest.fixture
def codes(resets: Resets, clock: Clock) -> ResetCodes:
    """Give reset codes in an empty store."""
    return ResetCodes(resets, clock)


def test_a_code_works_once(codes: ResetCodes) -> None:
    """The code of a user is right once, for that user."""
    code = codes.issue(ANN)
    assert re.fullmatch(rf"(?:[{ALPHABET}]{{4}}-){{3}}[{ALPHABET}]{{4}}", code)
    assert codes.redeem(BOB, code) is False
    assert [codes.redeem(ANN, code) for _ in range(3)] == [True, False, False]


def test_how_a_code_is_typed(codes: ResetCodes) -> None:
    """Case, dashes and spaces do not matter."""
    for form in (str.lower, lambda code: code.replace("-", ""), lambda code: f" {code} "):
        assert codes.redeem(ANN, form(codes.issue(ANN))) is True


def test_letters_that_look_alike(codes: ResetCodes) -> None:
    """No code has letters that look like digits; all codes differ."""
    assert len(set(ALPHABET)) == 32
    assert not set("01IO") & set(ALPHABET)
    assert len({codes.issue(f"user {number}") for number in range(50)}) == 50


@pytest.mark.parametrize("code", [WRONG, *NO_CODES.values()], ids=["another", *NO_CODES])
def test_a_wrong_code(codes: ResetCodes, code: str) -> None:
    """Nothing but a code is right, also where none was issued or one was used."""
    assert codes.redeem(ANN, code) is False
    right = codes.issue(ANN)
    assert codes.redeem(ANN, code) is False
    assert codes.redeem(ANN, right) is True
    assert codes.redeem(ANN, code) is False


def test_guesses_end_no_code(codes: ResetCodes) -> None:
    """Whoever guesses cannot keep the user from their code."""
    code = codes.issue(ANN)
    assert not any(codes.redeem(ANN, WRONG) for _ in range(20))
    assert codes.redeem(ANN, code) is True


def test_what_a_code_is_good_for_fails(codes: ResetCodes) -> None:
    """Where that goes wrong the code holds on, and was used once where it goes right."""
    done, (first, second) = [], (codes.issue(ANN), codes.issue(ANN))
    with pytest.raises(ZeroDivisionError):
        codes.redeem(ANN, first, lambda: 1 / 0)
    assert codes.redeem(ANN, second, lambda: done.append(2)) is False
    assert codes.redeem(ANN, first, lambda: done.append(1)) is True
    assert codes.redeem(ANN, first, lambda: done.append(1)) is False
    assert done == [1]


def test_a_store_that_fails_meanwhile(
    codes: ResetCodes, resets: Resets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code holds on where the others could not be ended, and nothing was done with it."""

    def fail(_: str) -> None:
        raise Unavailable

    code = codes.issue(ANN)
    with monkeypatch.context() as patch:
        patch.setattr(resets, "void", fail)
        with pytest.raises(Unavailable):
            codes.redeem(ANN, code)
    assert codes.redeem(ANN, code) is True


def test_a_code_that_did_not_arrive(codes: ResetCodes) -> None:
    """A code that is withdrawn holds no longer and does not count; one that was used stays."""
    used = codes.issue(ANN)
    codes.redeem(ANN, used)
    codes.withdraw(ANN, used)
    for _ in range(5):
        lost = codes.issue(ANN)
        codes.withdraw(BOB, lost)
        codes.withdraw(ANN, lost)
        assert codes.redeem(ANN, lost) is False
    assert codes.redeem(ANN, codes.issue(ANN)) is True
    codes.issue(ANN)
    with pytest.raises(TooManyCodes):
        codes.issue(ANN)


def test_a_slot_that_has_another_code(resets: Resets) -> None:
    """Neither the return nor the removal of a code reaches the one that came into its place."""
    old = Reset(owner="a", slot=0, salt="1", digest="old", issued=1000)
    resets.add(old)
    resets.use(old)
    resets.forget(1000)
    new = Reset(owner="a", slot=0, salt="2", digest="new", issued=2000)
    resets.add(new)
    resets.restore(old)
    resets.remove(old)
    assert resets.held("a", 0) == [new]


def test_a_code_ends_after_an_hour(codes: ResetCodes, clock: Clock) -> None:
    """A code holds nearly an hour, and not longer."""
    first = codes.issue(ANN)
    clock.now += 3599
    assert codes.redeem(ANN, first) is True
    second = codes.issue(ANN)
    clock.now += 3600
    assert codes.redeem(ANN, second) is False


def test_three_codes_an_hour(codes: ResetCodes, clock: Clock) -> None:
    """A user gets three codes in an hour, used ones counted; others get theirs."""
    first = codes.issue(ANN)
    codes.redeem(ANN, first)
    clock.now += 100
    codes.issue(ANN)
    codes.issue(ANN)
    with pytest.raises(TooManyCodes) as caught:
        codes.issue(ANN)
    assert caught.value.retry_after == 3500
    assert codes.redeem(BOB, codes.issue(BOB)) is True
    clock.now += 3500
    assert codes.redeem(ANN, codes.issue(ANN)) is True
    with pytest.raises(TooManyCodes):
        codes.issue(ANN)


def test_earlier_codes_hold_until_one_is_used(codes: ResetCodes) -> None:
    """Whoever asks twice may use either mail; then the other is of no use."""
    first, second = codes.issue(ANN), codes.issue(ANN)
    assert codes.redeem(ANN, first) is True
    assert codes.redeem(ANN, second) is False


def test_many_ask_at_once(codes: ResetCodes) -> None:
    """Of many who ask at once for one user, three get a code."""

    def issue(_: int) -> str | None:
        try:
            return codes.issue(ANN)
        except TooManyCodes:
            return None

    with ThreadPoolExecutor(8) as pool:
        issued = [code for code in pool.map(issue, range(12)) if code]
    assert len(set(issued)) == 3
    assert codes.redeem(ANN, issued[2]) is True


def test_one_of_two_at_once(resets: Resets, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a code is given twice at once, one of the two is told that it is right."""
    both = threading.Barrier(2, timeout=10)

    use = resets.use

    def use_together(reset: Reset) -> bool:
        both.wait()
        return use(reset)

    monkeypatch.setattr(resets, "use", use_together)
    codes = ResetCodes(resets, clock)
    code = codes.issue(ANN)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: codes.redeem(ANN, code), range(2)))
    assert sorted(found) == [False, True]
