"""What every store of attempts must do; a fixture ``attempts`` gives an empty one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from buttress.auth.attempts import WINDOW, Attempts, Pace

PACE = Pace(free=3, most=10, longest=8.0)
NOW = 1_800_000_000.0


def test_some_at_once_then_growing_pauses(attempts: Attempts) -> None:
    """A few are free; each further one waits twice as long as the one before, up to a limit."""
    now = NOW
    waits: list[float] = []
    for _ in range(9):
        assert attempts.take("ada", PACE, now) == 0
        waits.append(attempts.take("ada", PACE, now) if len(waits) >= 2 else 0)
        now += waits[-1]
    assert waits == [0, 0, 1, 2, 4, 8, 8, 8, 8]


def test_no_more_than_the_most(attempts: Attempts) -> None:
    """After the most of a window the next one waits for its end, and then counting begins anew."""
    for number in range(10):
        assert attempts.take("ada", PACE, NOW + 10 * number) == 0
    assert attempts.take("ada", PACE, NOW + 1000) == WINDOW - 1000
    assert attempts.take("ada", PACE, NOW + WINDOW) == 0


def test_keys_are_apart(attempts: Attempts) -> None:
    """What is tried under one key does not slow down another."""
    for _ in range(4):
        attempts.take("ada", PACE, NOW)
    assert (attempts.take("ada", PACE, NOW) > 0, attempts.take("bob", PACE, NOW)) == (True, 0)


def test_an_attempt_is_given_back(attempts: Attempts) -> None:
    """What was right costs nothing, and what was wrong before stays counted."""
    for _ in range(3):
        attempts.take("ada", PACE, NOW)
    attempts.give_back("ada")
    assert attempts.take("ada", PACE, NOW) == 0
    assert attempts.take("ada", PACE, NOW) == 1
    attempts.give_back("nobody")


def test_a_clock_that_goes_back(attempts: Attempts) -> None:
    """A clock that was set back locks nobody out."""
    attempts.take("ada", PACE, NOW + 9000)
    assert attempts.take("ada", PACE, NOW) == 0


def test_many_at_once(attempts: Attempts) -> None:
    """Of many that come at the same moment as many pass as are free."""
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: attempts.take("ada", PACE, NOW), range(40)))
    assert waits.count(0) == PACE.free


def test_what_is_old_is_forgotten(attempts: Attempts) -> None:
    """After a window nothing is kept."""
    attempts.take("ada", PACE, NOW)
    attempts.take("bob", PACE, NOW + 10)
    assert attempts.forget(NOW + WINDOW) == 1
