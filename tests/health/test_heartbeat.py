from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from flask import current_app

from buttress import Extension, Service, Unhealthy
from tests.services import Make


class Fine(Extension[Any, str]):
    """Works, and needs a context to find out."""

    name = "fine"

    def build(self, app: Service, settings: Any) -> str:
        """Make it."""
        return "fine"

    def check(self, it: str) -> None:
        """Need the context of the right service."""
        assert current_app.use(Fine) is it  # type: ignore[attr-defined]  # Flask's proxy


class Sick(Fine):
    """Says that it is down."""

    name = "sick"

    def check(self, it: str) -> None:
        """Say so."""
        raise Unhealthy("the lift stands still")


class Broken(Fine):
    """Has a check that fails in a way nobody planned."""

    name = "failing"

    def check(self, it: str) -> None:
        """Fail."""
        raise RuntimeError("SELECT password FROM users")


class Leaving(Fine):
    """Has a check that ends its thread."""

    name = "leaving"

    def check(self, it: str) -> None:
        """Leave."""
        raise SystemExit(3)


class Slow(Fine):
    """Has a check that lasts until it is let go."""

    name = "slow"
    gate: ClassVar[threading.Event]
    begun: ClassVar[int]

    def check(self, it: str) -> None:
        """Wait."""
        type(self).begun += 1
        self.gate.wait(20)


class Slower(Slow):
    """Does the same under another name."""

    name = "slower"


class Unchecked(Extension[Any, str]):
    """Has no check."""

    name = "unchecked"

    def build(self, app: Service, settings: Any) -> str:
        """Make it."""
        return "unchecked"


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Give what lets the slow checks go, at the latest after the test."""
    Slow.gate, Slow.begun, Slower.begun = threading.Event(), 0, 0
    yield Slow.gate
    Slow.gate.set()


def heartbeat(app: Service) -> tuple[int, dict[str, Any]]:
    """Give status and body of the heartbeat."""
    answer = app.test_client().get("/__heartbeat__")
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.get_json()


def test_healthy(make: Make) -> None:
    """With every check fine the heartbeat is 200 and names each with its duration."""
    status, body = heartbeat(make(extensions=["health", Fine, Unchecked]))
    assert 0 <= body["checks"]["fine"].pop("duration") < 5
    assert (status, body) == (
        200,
        {"status": "ok", "state": "serving", "checks": {"fine": {"status": "ok"}}},
    )


def test_unhealthy(make: Make) -> None:
    """One check that says `Unhealthy` makes it 503 and is quoted; the others are told too."""
    status, body = heartbeat(make(extensions=["health", Fine, Sick]))
    assert (status, body["status"]) == (503, "error")
    assert body["checks"]["fine"]["status"] == "ok"
    assert body["checks"]["sick"]["status"] == "error"
    assert body["checks"]["sick"]["detail"] == "the lift stands still"


@pytest.mark.parametrize(("mode", "shown"), [("production", False), ("development", True)])
def test_failing_check(
    make: Make, caplog: pytest.LogCaptureFixture, mode: str, shown: bool
) -> None:
    """A check that fails otherwise is 503, logged, and quoted in development only."""
    status, body = heartbeat(make(extensions=["health", Broken], MODE=mode))
    assert status == 503
    assert ("SELECT" in str(body)) is shown
    assert any(it.exc_info and "failing" in it.getMessage() for it in caplog.records)


def test_check_that_exits(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """A check that ends by SystemExit is not healthy, and is logged."""
    status, body = heartbeat(make(extensions=["health", Leaving]))
    assert (status, body["checks"]["leaving"]["status"]) == (503, "error")
    assert any("leaving" in it.getMessage() for it in caplog.records)


def test_check_whose_context_fails(make: Make) -> None:
    """A check in whose context a teardown fails is not healthy."""
    app = make(extensions=["health", Fine])
    app.teardown_appcontext(lambda _error: 1 / 0)
    assert heartbeat(app)[0] == 503


def test_checks_run_at_once(make: Make, gate: threading.Event) -> None:
    """Two slow checks take the time of one."""
    app = make(extensions=["health", Slow, Slower], HEALTH_TIMEOUT=20)
    threading.Timer(0.2, gate.set).start()
    began = time.monotonic()
    status, _body = heartbeat(app)
    assert status == 200
    assert time.monotonic() - began < 5


def test_hung_check_times_out(make: Make, gate: threading.Event) -> None:
    """A check that hangs is reported as timed out; the others are fine."""
    app = make(extensions=["health", Fine, Slow], HEALTH_TIMEOUT=0.1)
    status, body = heartbeat(app)
    assert status == 503
    assert body["checks"]["slow"]["detail"] == "timed out"
    assert body["checks"]["fine"]["status"] == "ok"


def test_hung_check_has_one_thread(make: Make, gate: threading.Event) -> None:
    """However often the heartbeat is asked, a hung check is never begun a second time."""
    app = make(extensions=["health", Slow], HEALTH_TIMEOUT=0.02)
    before = threading.active_count()
    assert {heartbeat(app)[0] for _ in range(5)} == {503}
    assert (threading.active_count() - before, Slow.begun) == (1, 1)


def test_check_recovers(make: Make, gate: threading.Event) -> None:
    """Once a hung check has ended, the next heartbeat runs it anew."""
    app = make(extensions=["health", Slow], HEALTH_TIMEOUT=5)
    gate.set()
    assert heartbeat(app)[0] == 200
    assert heartbeat(app)[0] == 200
    assert Slow.begun == 2


class Telling(Fine):
    """Tells how far it is."""

    name = "telling"

    def check(self, it: str) -> dict[str, int]:
        """Tell."""
        return {"lag": 3}


class Failing(Fine):
    """Tells how far it was when it failed."""

    name = "behind"

    def check(self, it: str) -> None:
        """Fail, with figures."""
        raise Unhealthy("the lift is slow", lag=300)


def test_details(make: Make) -> None:
    """What a check tells is shown beside what it found, also where it failed."""
    app = make(extensions=["health", Fine, Telling, Failing])
    app.test_client().get("/livez")
    checks = app.health.heartbeat()[1]["checks"]
    assert "details" not in checks["fine"]
    assert checks["telling"]["details"] == {"lag": 3}
    assert (checks["behind"]["detail"], checks["behind"]["details"]) == (
        "the lift is slow",
        {"lag": 300},
    )
