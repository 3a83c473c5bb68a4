"""Protected routes and passwords are measured for what they are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from benchmarks.auth import written
from benchmarks.cases.auth import PATH, TITLES, Rotated, credential_cases, token_cases
from benchmarks.cases.auth_passwords import PasswordTimes, password_times
from benchmarks.cases.case import Case, check
from benchmarks.cases.outcome import FLASK, SERVICE
from benchmarks.cases.request import Request, ask
from benchmarks.cases.timing import Times


@pytest.mark.parametrize("cases", [token_cases, credential_cases])
def test_cases(
    cases: Callable[[], AbstractContextManager[list[Case]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every application answers who has its credentials, and nobody else."""
    monkeypatch.setattr("benchmarks.cases.auth.MANY", 3)
    with cases() as made:
        for case in made:
            check(case)
            assert case.name in TITLES
            open_to_all = [it for it in case.subjects.values() if not isinstance(it, Rotated)]
            assert {ask(app, Request(PATH)).status for app in open_to_all} <= {401}


def test_tokens_are_rotated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call has the next token, and the first comes again after the last."""
    seen: list[str] = []
    app = Rotated(lambda environ, _: seen.append(environ["HTTP_AUTHORIZATION"]) or [], "ab")
    for _ in range(3):
        app({}, lambda *_: print)
    assert seen == ["Bearer a", "Bearer b", "Bearer a"]


def test_passwords() -> None:
    """Both sides verify one hash."""
    times = password_times(1)
    assert min(times) > 0


@pytest.mark.parametrize(
    ("flask", "ours", "verdicts"),
    [(500.0, 1.05, ["5.00×", "met", "1.050×", "met"]), (499.0, 1.06, ["**not met**"] * 2)],
)
def test_verdicts(flask: float, ours: float, verdicts: list[str]) -> None:
    """Tokens are compared by time and processor time, passwords by time."""
    measured = {("known", FLASK): Times(flask, flask), ("known", SERVICE): Times(100, 100)}
    page = written(measured, PasswordTimes(ours, 1.0))
    lines = "\n".join(line for line in page.split("\n") if line.startswith("- "))
    assert all(word in lines for word in verdicts)
    assert lines.count("**not met**") == verdicts.count("**not met**")
