from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from buttress import ExtensionError, Service
from buttress.limiter.redis import FailoverStorage
from tests.private import PrivateServer, private_server
from tests.servers import server_url

Make = Callable[..., Service]
STATUSES = [200, 200, 429]


@pytest.fixture
def url() -> Iterator[str]:
    """Give the address of the shared Redis, whose keys of limiters are deleted afterwards."""
    url = server_url("redis")
    yield url
    with Redis.from_url(url) as redis:
        for key in redis.scan_iter("shop_*:limiter:*"):
            redis.delete(key)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateServer]:
    """Give a Redis of the test's own."""
    with private_server("redis", monkeypatch) as server:
        yield server


def shop(make: Make, url: str, name: str | None = None, **config: Any) -> Service:
    """Make a service with one limited view."""
    app = make(name or f"shop_{uuid4().hex[:8]}", LIMITER_URL=url, **config)
    app.add_url_rule("/lifts", "lifts", app.limiter.limit("2/hour")(lambda: "lifts"))
    return app


def statuses(app: Service, times: int = 3) -> list[int]:
    """Ask several times, and give the statuses."""
    asking = app.test_client()
    return [asking.get("/lifts").status_code for _ in range(times)]


def storage_of(app: Service) -> FailoverStorage:
    """Give where a service counts."""
    storage = app.limiter.storage
    assert isinstance(storage, FailoverStorage)
    return storage


@pytest.mark.parametrize("strategy", ["fixed-window", "sliding-window-counter", "moving-window"])
def test_counts_together(make: Make, url: str, strategy: str) -> None:
    """Two processes of a service, here two of its objects, share their counts."""
    name = f"shop_{uuid4().hex[:8]}"
    first = shop(make, url, name, LIMITER_STRATEGY=strategy)
    second = shop(make, url, name, LIMITER_STRATEGY=strategy)
    assert [*statuses(first, 1), *statuses(second, 2)] == STATUSES
    assert 1 <= int(first.test_client().get("/lifts").headers["Retry-After"]) <= 3601


def test_services_count_apart(make: Make, url: str) -> None:
    """Two services on one server share no count."""
    assert statuses(shop(make, url)) == STATUSES
    assert statuses(shop(make, url)) == STATUSES


def test_heartbeat_asks_the_server(make: Make, url: str) -> None:
    """The heartbeat is well where the server answers."""
    beat = shop(make, url).test_client().get("/__heartbeat__")
    assert (beat.status_code, beat.json["checks"]["limiter"]["status"]) == (200, "ok")


def test_reset(make: Make, url: str) -> None:
    """`reset` forgets every count of this service."""
    app, other = shop(make, url), shop(make, url)
    assert statuses(app) == STATUSES
    assert statuses(other) == STATUSES
    app.limiter.reset()
    assert statuses(app) == STATUSES
    assert statuses(other, 1) == [429]


def test_unknown_option_stops_the_boot(make: Make) -> None:
    """An option that redis-py does not know is refused at the boot, without the password."""
    with pytest.raises(ExtensionError, match="cannot be made") as raised:
        make(LIMITER_URL="redis://:word@127.0.0.1:1/0?colour=blue")
    assert "word@" not in str(raised.value)


def test_options_are_passed_on(make: Make, url: str) -> None:
    """``RATELIMIT_STORAGE_OPTIONS`` are arguments of redis-py."""
    app = shop(make, url, RATELIMIT_STORAGE_OPTIONS={"socket_timeout": 7})
    assert storage_of(app)._pool.connection_kwargs["socket_timeout"] == 7


def test_nothing_is_opened_by_the_boot(make: Make) -> None:
    """A server that is down does not stop the boot, and is not noticed by it."""
    app = shop(make, "redis://127.0.0.1:1/0")
    assert not storage_of(app).is_down


def test_dead_server(make: Make, server: PrivateServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Without its server the service answers, counts in memory, and says so; then it recovers."""
    app = shop(make, server.url)
    assert statuses(app, 2) == [200, 200]
    server.kill()
    assert statuses(app) == STATUSES
    beat = app.test_client().get("/__heartbeat__")
    assert beat.status_code == 503
    assert "counts by itself" in beat.json["checks"]["limiter"]["detail"]
    server.start()
    assert app.test_client().get("/__heartbeat__").status_code == 200
    assert not storage_of(app).is_down
    assert statuses(app) == STATUSES
    log = capsys.readouterr().out
    assert log.count("counting in memory") == 1
    assert log.count("works again") == 1


def test_request_notices_the_recovery(make: Make, server: PrivateServer) -> None:
    """Once the pause is over one request looks, and finds the server again."""
    app = shop(make, server.url)
    storage = storage_of(app)
    server.kill()
    assert statuses(app, 1) == [200]
    server.start()
    assert statuses(app, 1) == [200]
    assert storage.is_down
    storage._breaker._clock = lambda: time.monotonic() + 60
    assert statuses(app, 1) == [200]
    assert not storage.is_down


def test_refusing_server(make: Make, server: PrivateServer) -> None:
    """A server that refuses to write, for it is full or only a replica, is as none."""
    app = shop(make, server.url)
    with Redis.from_url(server.url) as redis:
        redis.config_set("maxmemory", "1")
    assert statuses(app) == STATUSES
    assert storage_of(app).is_down


def test_hanging_server_costs_one_timeout(make: Make, server: PrivateServer) -> None:
    """A server that is silent keeps one request waiting, and no other."""
    app = shop(make, server.url, RATELIMIT_STORAGE_OPTIONS={"socket_timeout": 0.1})
    assert statuses(app, 1) == [200]
    with Redis.from_url(server.url) as redis:
        redis.execute_command("CLIENT", "PAUSE", 2000, "ALL")
        began = time.monotonic()
        assert statuses(app) == STATUSES
        assert time.monotonic() - began < 1
