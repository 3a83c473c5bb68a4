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
from buttress.serving.turns import SMALL_BODY, Turns
from tests.serving.running import Answer, Running

Start = Callable[..., Running]


class Slope:
    """An application that keeps its turns until it is let go on."""

    def __init__(self, count: int = 1) -> None:
        self.turns = Turns(count, self.answer, {"/livez"})
        self.answered: list[str] = []
        self.open = threading.Event()
        self.busy = threading.Semaphore(0)

    def answer(self, outlet: Any, scope: dict[str, Any]) -> None:
        """Note the path; ``/slow`` waits first, and ``/body`` reads."""
        path = scope["PATH_INFO"]
        if path == "/slow":
            self.busy.release()
            assert self.open.wait(5)
        if path == "/body":
            path = scope["wsgi.input"].read().decode()
        self.answered.append(path)

    def __call__(self, path: str, body: bytes | None = None, **more: str) -> None:
        """Make a request; its body is closed once the call is over."""
        scope: dict[str, Any] = {"PATH_INFO": path, **more}
        with io.BytesIO(body or b"") as given:
            if body is not None:
                scope |= {"wsgi.input": given, "CONTENT_LENGTH": str(len(body))}
            self.turns(None, scope)  # type: ignore[arg-type]  # nothing is sent


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
    """Whatever is raised, the next request has the turn."""
    calls: list[str] = []

    def fail(outlet: Any, scope: dict[str, Any]) -> None:
        calls.append(scope["PATH_INFO"])
        raise SystemExit

    only = Turns(1, fail)
    for path in ("/one", "/two"):
        with pytest.raises(SystemExit):
            only(None, {"PATH_INFO": path})  # type: ignore[arg-type]  # nothing is sent
    assert calls == ["/one", "/two"]


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
    slope.turns._go_on()
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

    two = Turns(2, answer)
    kinds: list[dict[str, Any]] = [{}, {"HTTP_TRANSFER_ENCODING": "chunked"}]
    with ThreadPoolExecutor(8) as pool:
        for number in range(1500):
            pool.submit(two, None, {"PATH_INFO": f"/{number}", **kinds[number % 2]})  # type: ignore[arg-type]  # nothing is sent
    assert sorted(seen) == sorted(f"/{number}" for number in range(1500))
    assert most == 2


def test_a_busy_service_answers_probes(start: Start) -> None:
    """A service whose only thread is busy is alive; what waits is answered, during a drain too."""
    service = start(THREADS=1)
    bodies = [b"", b"snow", b"x" * (SMALL_BODY + 1)]

    def echo(body: bytes) -> Answer:
        return service.ask("/echo", "POST", body=body)

    with ThreadPoolExecutor(4) as pool:
        slow = pool.submit(service.ask, "/slow?seconds=1.5")
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
