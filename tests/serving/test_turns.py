"""Turns: how many requests are handled at a time, and who waits how."""

from __future__ import annotations

import io
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from buttress.serving import turns
from buttress.serving.turns import SMALL_BODY, Turns, keep_body, may_have_more
from tests.serving.running import Answer, Running

Start = Callable[..., Running]


#: How many may wait in these tests.
WAITING = 3


class Outlet:
    """Where an answer goes that no application gives."""

    def __init__(self) -> None:
        self.statuses: list[int] = []

    def response_bytes(self, status: int, headers: Any, body: bytes) -> None:
        """Note the status."""
        self.statuses.append(status)


class Body(io.BytesIO):
    """A body as the server has it."""


class Slope:
    """An application that keeps its turns until it is let go on."""

    def __init__(self, count: int = 1) -> None:
        self.turns = Turns(count, self.answer, {"/livez"}, WAITING)
        self.answered: list[str] = []
        self.open, self.shut = threading.Event(), threading.Event()
        self.busy = threading.Semaphore(0)

    def answer(self, outlet: Any, scope: dict[str, Any]) -> None:
        """Note the path; ``/slow`` and ``/slower`` wait first, and ``/body`` reads."""
        path = scope["PATH_INFO"]
        if path == "/slow":
            self.busy.release()
            assert self.open.wait(5)
        if path == "/slower":
            assert self.shut.wait(5)
        if path == "/body":
            path = scope["wsgi.input"].read().decode()
        self.answered.append(path)
        if "fails" in scope:
            raise SystemExit

    def __call__(
        self, path: str, body: bytes | None = None, outlet: Any = None, **more: str
    ) -> None:
        """Make a request; its body is closed once the call is over."""
        scope: dict[str, Any] = {"PATH_INFO": path, **more}
        with Body(body or b"") as given:
            if body is not None:
                scope |= {"wsgi.input": given, "CONTENT_LENGTH": str(len(body))}
            self.turns(outlet, scope)


def join_turns() -> None:
    """Wait for the threads that were begun."""
    for thread in threading.enumerate():
        if thread.name == "turns":
            thread.join(5)


def test_a_probe_needs_no_turn() -> None:
    """While every turn is taken a probe is answered, and what else comes waits without a thread."""
    slope = Slope()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(slope, "/slow")
        slope.busy.acquire()
        slope("/first")
        slope("/livez")
        slope("/second")
        assert slope.answered == ["/livez"]
        slope.open.set()
        slow.result(5)
    assert slope.answered == ["/livez", "/slow", "/first", "/second"]


def test_a_body_is_kept() -> None:
    """A small body is there when the turn comes, though the server has closed its own by then."""
    slope = Slope()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(slope, "/slow")
        slope.busy.acquire()
        slope("/body", b"snow")
        slope("/body", b"")
        slope.open.set()
        slow.result(5)
    assert slope.answered == ["/slow", "snow", ""]


@pytest.mark.parametrize(
    ("size", "more"), [(SMALL_BODY + 1, {}), (3, {"HTTP_TRANSFER_ENCODING": "chunked"})]
)
def test_a_large_body_keeps_its_thread(size: int, more: dict[str, str]) -> None:
    """A large body, or one of unknown length, is not read before its turn."""
    slope, large = Slope(), b"x" * size
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(slope, "/slow")
        slope.busy.acquire()
        waits = pool.submit(slope, "/body", large, **more)
        while not slope.turns._waiting:
            time.sleep(0.001)
        slope("/last")
        assert not waits.done()
        slope.open.set()
        slow.result(5)
        waits.result(5)
    join_turns()
    assert slope.answered == ["/slow", large.decode(), "/last"]


def test_quick_requests_stay_in_their_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where turns are given back all the time, a request gets one in a moment by itself."""
    slope = Slope()
    slope("/first")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(slope, "/slow")
        slope.busy.acquire()
        monkeypatch.setattr(turns.time, "sleep", lambda _: (slope.open.set(), pool.shutdown()))
        slope("/second")
    assert slope.answered == ["/first", "/slow", "/second"]


def test_an_answer_that_fails_gives_its_turn_back() -> None:
    """Whatever is raised, what waits has the turn, and whoever gave it is not told."""
    slope = Slope()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(slope, "/slow", fails="1")
        slope.busy.acquire()
        slope("/first", fails="1")
        slope("/second")
        slope.open.set()
        slow.result(5)
    slope("/third")
    assert slope.answered == ["/slow", "/first", "/second", "/third"]


@pytest.mark.parametrize(
    ("size", "more"), [(SMALL_BODY + 1, {}), (3, {"HTTP_TRANSFER_ENCODING": "chunked"})]
)
def test_a_body_is_dropped_at_once(size: int, more: dict[str, str]) -> None:
    """The thread of a request whose body may be unread in part does not answer what waits."""
    slope = Slope()
    with ThreadPoolExecutor(1) as pool:
        unread = pool.submit(slope, "/slow", b"x" * size, **more)
        slope.busy.acquire()
        slope("/slower")
        slope.open.set()
        unread.result(5)
        assert slope.answered == ["/slow"]
    slope.shut.set()
    join_turns()
    assert slope.answered == ["/slow", "/slower"]


@pytest.mark.parametrize(
    ("scope", "more"),
    [
        ({}, False),
        ({"CONTENT_LENGTH": "0"}, False),
        ({"CONTENT_LENGTH": "4"}, True),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, True),
    ],
)
def test_what_may_have_more(scope: dict[str, Any], more: bool) -> None:
    """A body may be unread in part where there is one, until it was kept."""
    with Body(b"snow") as given:
        scope = {"wsgi.input": given, **scope}
        assert may_have_more(scope) is more
        kept = keep_body(scope)
        assert may_have_more(scope) is not kept


def test_a_request_too_many() -> None:
    """When so many wait that most of their clients must be gone, a request is refused."""
    slope, outlet = Slope(), Outlet()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(slope, "/slow")
        slope.busy.acquire()
        for number in range(WAITING):
            slope(f"/{number}")
        slope("/late", outlet=outlet)
        slope("/livez")
        slope.open.set()
        slow.result(5)
    assert outlet.statuses == [503]
    assert slope.answered == ["/livez", "/slow", *(f"/{number}" for number in range(WAITING))]


class Late(list[None]):
    """Turns of which the only one seems to be taken, and is given back in that moment."""

    looks = 0

    def pop(self, index: Any = -1) -> None:
        """Find nothing the first time."""
        self.looks += 1
        if self.looks == 1:
            raise IndexError
        super().pop(index)


class Taken(deque[Any]):
    """What waits, which another thread takes just before."""

    def popleft(self) -> Any:
        """Find nothing."""
        self.clear()
        raise IndexError


@pytest.mark.parametrize("more", [{}, {"HTTP_TRANSFER_ENCODING": "chunked"}])
def test_a_turn_that_comes_back_meanwhile(more: dict[str, str]) -> None:
    """A turn that is given back just before a request begins to wait is seen."""
    slope = Slope()
    slope.turns._free = Late([None])
    with ThreadPoolExecutor(1) as pool:
        pool.submit(slope, "/body", b"snow", **more).result(5)
    assert slope.answered == ["snow"]


def test_a_request_that_another_takes() -> None:
    """A thread that finds nothing to do after all gives its turn back."""
    slope = Slope()
    slope.turns._waiting = Taken(["a request"])
    slope.turns._use_free()
    assert slope.turns._free == [None]


def test_many_at_once() -> None:
    """Of many requests in many threads each is answered once, and never too many at a time."""
    lock, now, most, seen = threading.Lock(), 0, 0, []

    def answer(outlet: Any, scope: dict[str, Any]) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        if len(seen) % 7 == 0:
            time.sleep(0.0002)
        with lock:
            now -= 1
            seen.append(scope["PATH_INFO"])

    two = Turns(2, answer, most=1500)
    kinds: list[dict[str, Any]] = [{}, {"HTTP_TRANSFER_ENCODING": "chunked"}]
    with ThreadPoolExecutor(8) as pool:
        for number in range(1500):
            pool.submit(two, None, {"PATH_INFO": f"/{number}", **kinds[number % 2]})  # type: ignore[arg-type]  # nothing is sent
    join_turns()
    assert sorted(seen) == sorted(f"/{number}" for number in range(1500))
    assert most == 2


def test_a_busy_service_answers_probes(start: Start) -> None:
    """A service whose only thread is busy is alive; what waits is answered, during a drain too."""
    service = start(THREADS=1)
    bodies = [b"", b"snow", b"x" * (SMALL_BODY + 1)]

    def echo(body: bytes) -> Answer:
        return service.ask("/echo", "POST", body=body)

    with ThreadPoolExecutor(4) as pool:
        slow = pool.submit(service.ask, "/slow?seconds=1")
        service.until("has begun")
        waits = [pool.submit(echo, body) for body in bodies]
        began = time.monotonic()
        assert service.ask("/livez").status == 200
        assert time.monotonic() - began < 1
        assert not slow.done()
        time.sleep(0.2)
        service.signal(signal.SIGTERM)
        assert [it.result().body for it in (slow, *waits)] == [b"slow but whole", *bodies]
    assert service.ended() == 0
