"""An outage is told once and probed by one at a time."""

from __future__ import annotations

import logging
import time

import pytest

from buttress.db.outage import PROBE_EVERY, Down, Outage


@pytest.fixture
def outage() -> Outage:
    """Give an outage that has begun."""
    found = Outage("here")
    found.begin(OSError("gone"))
    return found


def fail() -> None:
    """Do not connect."""
    raise ConnectionRefusedError("by the server")


def test_one_lost_connection_is_made_anew_at_once(outage: Outage) -> None:
    """Whoever comes first after a lost connection tries; the database may well be there."""
    assert outage.connect(lambda: "connection") == "connection"


def test_who_would_only_wait_is_refused(outage: Outage) -> None:
    """Right after somebody could not connect nobody tries; what the driver raised is passed on."""
    with pytest.raises(ConnectionRefusedError, match="by the server"):
        outage.connect(fail)
    with pytest.raises(Down, match="gone"):
        outage.connect(lambda: "connection")


def test_failures_do_not_put_off_the_probe(outage: Outage) -> None:
    """However often it fails for others, one comes to try again."""
    with pytest.raises(ConnectionRefusedError):
        outage.connect(fail)
    end = time.monotonic() + 5 * PROBE_EVERY
    while time.monotonic() < end:
        outage.begin(OSError("gone"))
        try:
            assert outage.connect(lambda: "connection") == "connection"
        except Down:
            time.sleep(0.01)
        else:
            return
    pytest.fail("nobody has tried")


def test_one_probe_at_a_time(outage: Outage) -> None:
    """While one tries, the others are refused."""

    def probe() -> None:
        with pytest.raises(Down):
            outage.connect(lambda: None)

    outage.connect(probe)


def test_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """An outage has one line at its beginning and one at its end."""
    caplog.set_level(logging.INFO)
    outage = Outage("here")
    outage.end()
    for _ in range(3):
        outage.begin(OSError("gone"))
    outage.end()
    outage.end()
    assert [it.levelname for it in caplog.records] == ["ERROR", "INFO"]
