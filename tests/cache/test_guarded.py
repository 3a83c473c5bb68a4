"""A server that is down or hangs costs no request."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from buttress import Unhealthy
from buttress.cache import Cache
from buttress.cache.guarded import QUIET, Guarded
from buttress.testing.contracts.cache import Snow, at_once
from tests.cache.processes import free_port, silent_server
from tests.services import Make

OPERATIONS: dict[str, tuple[Callable[[Cache], Any], Any]] = {
    "get": (lambda it: it.get("a"), None),
    "get_many": (lambda it: it.get_many("a", "b"), [None, None]),
    "get_dict": (lambda it: it.get_dict("a"), {"a": None}),
    "has": (lambda it: it.has("a"), False),
    "set": (lambda it: it.set("a", 1), False),
    "set_many": (lambda it: it.set_many({"a": 1}), []),
    "add": (lambda it: it.add("a", 1), False),
    "delete": (lambda it: it.delete("a"), False),
    "delete_many": (lambda it: it.delete_many("a", "b"), []),
    "clear": (lambda it: it.clear(), False),
    "inc": (lambda it: it.cache.inc("a"), None),
    "dec": (lambda it: it.cache.dec("a"), None),
    "once": (lambda it: it.once("a", 5, lambda: "sun"), "sun"),
    "memoize": (lambda it: it.memoize(5)(lambda: "sun")(), "sun"),
    "cached": (lambda it: it.cached(5, key_prefix="a")(lambda: "sun")(), "sun"),
}


@pytest.fixture(params=["redis", "memcached"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Give the scheme of each kind of server."""
    return str(request.param)


@pytest.fixture(params=["refuses", "hangs"])
def url(request: pytest.FixtureRequest, scheme: str) -> Iterator[str]:
    """Give the URL of a server that refuses connections, and of one that never answers."""
    if request.param == "refuses":
        yield f"{scheme}://127.0.0.1:{free_port()}"
        return
    with silent_server() as port:
        yield f"{scheme}://127.0.0.1:{port}"


@pytest.fixture
def dead(cache_of: Callable[..., Cache], url: str) -> Cache:
    """Give a cache on such a server."""
    return cache_of(CACHE_URL=url, CACHE_SOCKET_TIMEOUT=0.1, CACHE_CONNECT_TIMEOUT=0.1)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_goes_on_without(dead: Cache, name: str) -> None:
    """What is asked is missing, what is told is lost, and no error reaches the caller."""
    operation, expected = OPERATIONS[name]
    with dead.app.test_request_context():
        assert operation(dead) == expected
    assert dead.cache.unlink("a") in (None, [])


def test_requests_are_answered(make: Make, url: str) -> None:
    """A handler that uses the cache answers as if everything were missing."""
    app = make(extensions=["cache"], CACHE_URL=url, CACHE_SOCKET_TIMEOUT=0.1)

    @app.route("/snow")
    @app.cache.cached(timeout=5)
    def snow() -> str:
        return app.cache.once("snow", 5, lambda: "sun")

    client = app.test_client()
    answers = [client.get("/snow") for _ in range(5)]
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "sun")] * 5


def test_one_failure_is_enough(
    dead: Cache, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After it the server is not asked for a while, and one record tells of it."""
    dead.get("a")
    asked: list[object] = []
    for name in ("connect", "connect_ex", "send", "sendall", "recv", "recv_into"):
        monkeypatch.setattr(socket.socket, name, lambda *_, name=name: asked.append(name))
    assert [dead.get("a") for _ in range(1000)] == [None] * 1000
    assert asked == []
    (record,) = caplog.records
    assert (record.levelname, record.name) == ("ERROR", "buttress.cache")
    assert "does not work; going on without: " in record.getMessage()


def test_a_computation_is_still_done_once(dead: Cache) -> None:
    """Without a server the threads of the process wait for each other."""
    dead.get("a")
    snow = Snow(0.2)
    assert at_once(50, lambda: dead.once("snow", 5, snow)) == [1] * 50
    assert snow.fell == 1


def test_the_heartbeat_asks_the_server(dead: Cache) -> None:
    """It tells that the cache does not work, also while the server is left alone."""
    for _ in range(2):
        with pytest.raises(Unhealthy, match="The cache does not work: ") as caught:
            dead.check()
        assert caught.value.details == {"backend": dead.kind, "breaker": "open"}


def test_a_cache_that_forgets_is_unhealthy(cache_of: Callable[..., Cache]) -> None:
    """The heartbeat looks at what it gets back."""
    cache = cache_of()
    cache.parts[0].inner.set = lambda *_: True
    with pytest.raises(Unhealthy, match="does not give and delete what was set"):
        cache.check()


def test_errors_of_the_caller_are_the_callers(cache_of: Callable[..., Cache]) -> None:
    """A mistake in a call is no failure of the cache."""
    cache = cache_of()
    with pytest.raises(TypeError):
        cache.get(["a list"])
    assert cache.check()["breaker"] == "closed"


def test_attributes_of_the_backend_are_there(cache_of: Callable[..., Cache]) -> None:
    """What only one backend has is reached through the guard."""
    guarded = Guarded(cache_of().parts[0].inner, "here")
    assert guarded.is_refusal(ValueError()) is False
    with pytest.raises(AttributeError, match="colour"):
        _ = guarded.colour


def test_refusals_are_logged_once_a_minute(
    cache_of: Callable[..., Cache],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that refuses each operation does not fill the log, and is not left alone."""
    part = cache_of().parts[0]
    part._failures, part._is_refusal = (OSError,), lambda _: True
    monkeypatch.setattr(part.inner, "get", lambda _: fail())

    def fail() -> None:
        raise OSError("full")

    assert [part.get("a"), part.get("a")] == [None, None]
    part._quiet_until -= QUIET
    part.get("a")
    assert [record.getMessage() for record in caplog.records] == [
        f"the cache at {part.shown} refuses an operation: OSError: full"
    ] * 2
    assert part.breaker.state == "closed"
