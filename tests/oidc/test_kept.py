"""What a provider publishes: fetched when it is needed, and kept while it is down."""

from __future__ import annotations

import threading

import pytest

from buttress import Unavailable
from buttress.oidc import Kept, ProviderDown
from buttress.oidc.kept import LASTS, PAUSE, RETRY
from tests.jwt.conftest import Clock


class Published:
    """What a provider publishes; it counts how often it was asked."""

    def __init__(self) -> None:
        self.value = ["first"]
        self.error: Exception | None = None
        self.asked = 0

    def __call__(self) -> list[str]:
        """Give it, or fail."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        return list(self.value)


@pytest.fixture
def published() -> Published:
    """Give a provider."""
    return Published()


@pytest.fixture
def clock() -> Clock:
    """Give a clock."""
    return Clock(1000.0)


@pytest.fixture
def kept(published: Published, clock: Clock) -> Kept[list[str]]:
    """Give what keeps what it publishes."""
    return Kept("the document", published, clock)


def test_it_is_fetched_once(kept: Kept[list[str]], published: Published) -> None:
    """It is fetched when it is first needed, and then known."""
    assert published.asked == 0
    assert kept.get() is kept.get()
    assert (published.asked, kept.get()) == (1, ["first"])


def test_the_same_is_kept(kept: Kept[list[str]], published: Published, clock: Clock) -> None:
    """Who holds what has not changed since need not look at it again."""
    known = kept.get()
    clock.now += LASTS
    assert kept.get() is known
    assert (published.asked, kept.age) == (2, 0)


def test_it_is_fetched_anew(kept: Kept[list[str]], published: Published, clock: Clock) -> None:
    """What was published since is known after a while."""
    kept.get()
    published.value = ["second"]
    clock.now += LASTS - 1
    assert kept.get() == ["first"]
    clock.now += 1
    assert kept.get() == ["second"]


def test_a_newer_one_is_asked_for_seldom(
    kept: Kept[list[str]], published: Published, clock: Clock
) -> None:
    """However often a newer one is wanted, the provider is asked once in a while."""
    known = kept.get()
    for _ in range(100):
        clock.now += 0.1
        assert kept.newer(known) is known
    assert published.asked == 1
    clock.now += PAUSE
    published.value = ["second"]
    assert kept.newer(known) == ["second"]
    clock.now += PAUSE
    assert kept.newer(known) == ["second"]
    assert published.asked == 2


@pytest.mark.parametrize("error", [ProviderDown("it is silent"), ValueError("nonsense")], ids=str)
def test_it_outlives_the_provider(
    kept: Kept[list[str]], published: Published, clock: Clock, error: Exception
) -> None:
    """While the provider is down what is known goes on; whether it is new is not known."""
    known = kept.get()
    published.error = error
    clock.now += 10 * LASTS
    assert kept.get() is known
    with pytest.raises(Unavailable):
        kept.newer(known)
    assert published.asked == 2


def test_it_recovers(kept: Kept[list[str]], published: Published, clock: Clock) -> None:
    """A provider that is down is left alone for some seconds, and then asked again."""
    published.error = ProviderDown("it is silent")
    for _ in range(3):
        with pytest.raises(Unavailable):
            kept.get()
    assert published.asked == 1
    published.error = None
    clock.now += RETRY
    assert kept.get() == ["first"]


def test_many_wait_for_one_fetch(clock: Clock) -> None:
    """Of many requests at a cold start one asks."""
    asked, go = [], threading.Event()

    def fetch() -> list[str]:
        asked.append(1)
        go.wait(5)
        return ["first"]

    kept, found = Kept("the document", fetch, clock), []
    threads = [threading.Thread(target=lambda: found.append(kept.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join()
    assert (len(asked), len(set(map(id, found))), len(found)) == (1, 1, 8)


def test_nobody_waits_for_long(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who would have to wait for the fetch of another is told that it is not known."""
    monkeypatch.setattr("buttress.oidc.kept.PATIENCE", 0.01)
    inner: list[type[Exception]] = []

    def other() -> None:
        try:
            kept.get()
        except Unavailable as error:
            inner.append(type(error))

    def fetch() -> list[str]:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        return ["first"]

    kept = Kept("the document", fetch, clock)
    assert kept.get() == ["first"]
    assert inner == [Unavailable]


def test_nobody_waits_where_it_is_old(clock: Clock) -> None:
    """While one request fetches it anew, the others go on with what is known."""
    inner: list[list[str]] = []
    values = iter((["first"], ["second"]))

    def fetch() -> list[str]:
        if kept.age <= LASTS:
            thread = threading.Thread(target=lambda: inner.append(kept.get()))
            thread.start()
            thread.join(0.3)
            inner.append(["fetched"])
        return next(values)

    kept = Kept("the document", fetch, clock)
    kept.get()
    clock.now += LASTS
    assert kept.get() == ["second"]
    assert inner == [["first"], ["fetched"]]
