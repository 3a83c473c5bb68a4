"""Flask and `Service` answer alike, for a generated population of applications and requests."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.engine.differential.comparing import compare
from tests.engine.differential.description import Case
from tests.engine.differential.features import EXPECTED, reached
from tests.engine.differential.strategies import THEMES, cases

#: Requests to compare in each part; all parts together have at least 10,000.
LEAST = 1500
#: Applications in a run of hypothesis: few, because after its first ten it draws variations of
#: what it has, and variety is what is wanted here.
APPLICATIONS = 11
#: Runs of hypothesis, and how many at most until everything is reached: what is drawn depends on
#: the modules that are imported, too.
RUNS, MOST_RUNS = 24, 200
#: How often each feature must be reached in the part that is about it.
OFTEN = 2


@pytest.fixture(autouse=True)
def only_what_is_new_is_collected() -> Iterator[None]:
    """Keep the collector, which runs after each case, from looking at all that was there before."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def compare_some(theme: str, number: int) -> Counter[str]:
    """Compare some applications, and count the requests and what they reached."""
    counted: Counter[str] = Counter()

    @seed(number)
    @settings(
        max_examples=APPLICATIONS,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(cases(THEMES[theme]))
    def answers_are_alike(case: Case) -> None:
        counted.update(reached(case, compare(case)))

    answers_are_alike()
    return counted


@pytest.mark.timeout(600)  # a failure is shrunk first
@pytest.mark.parametrize("theme", THEMES)
def test_population(theme: str) -> None:
    """Every request is answered alike, and each part reaches what it is about."""
    counted: Counter[str] = Counter()
    for number in range(MOST_RUNS):
        counted += compare_some(theme, number)
        seldom = {it: counted[it] for it in EXPECTED[theme] if counted[it] < OFTEN}
        if number >= RUNS and counted["requests"] >= LEAST and not seldom:
            break
    assert counted["requests"] >= LEAST
    assert seldom == {}


def test_population_is_large() -> None:
    """The parts have at least 10,000 requests together."""
    assert LEAST * len(THEMES) >= 10_000


@pytest.mark.proof
@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("theme", THEMES)
def test_large_population(theme: str, number: int) -> None:
    """Every request is answered alike in a population of 200,000."""
    least = 200_000 / len(THEMES) / 8
    counted: Counter[str] = Counter()
    for drawn in range(1000 + number * 200, 1200 + number * 200):
        counted += compare_some(theme, drawn)
        if counted["requests"] >= least:
            break
    assert counted["requests"] >= least
