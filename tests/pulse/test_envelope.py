"""The envelope: what is in it, and what must not be."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from buttress.pulse.envelope import (
    checked_exchange,
    checked_queue,
    checked_routing_key,
    opened,
    sealed,
)

LARGEST = 10_000


def test_a_payload_travels_with_where_and_when() -> None:
    """The envelope is the one that Pulse has."""
    before = datetime.now(UTC)
    body = json.loads(sealed("exchange/resort/snow", "piste.7", {"cm": 30}, LARGEST))
    assert body["payload"] == {"cm": 30}
    sent = datetime.fromisoformat(body["_meta"].pop("sent"))
    assert before <= sent <= datetime.now(UTC)
    assert body["_meta"] == {
        "exchange": "exchange/resort/snow",
        "routing_key": "piste.7",
        "serializer": "json",
    }


def test_text_is_utf8() -> None:
    """Nothing is escaped that need not be."""
    assert "neige fraîche ❄".encode() in sealed("e", "k", "neige fraîche ❄", LARGEST)


LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    "payload", [object(), {1, 2}, b"snow", float("nan"), {(1, 2): 3}, "\ud800", LOOP, datetime.now]
)
def test_what_is_no_json_is_refused(payload: Any) -> None:
    """The error says what a payload is made of."""
    with pytest.raises(ValueError, match="no JSON.*Nothing was sent"):
        sealed("e", "k", payload, LARGEST)


def test_what_is_too_large_is_refused() -> None:
    """The error names both sizes."""
    with pytest.raises(ValueError, match=r"PULSE_MAX_MESSAGE_SIZE is 10000.*Nothing was sent"):
        sealed("e", "k", "x" * LARGEST, LARGEST)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe\xfd", b"NaN", b"[" * 100_000, "{'a': 1}"])
def test_a_body_that_is_no_json_is_told(body: bytes | str) -> None:
    """Whatever a stranger sends, it is a ValueError."""
    with pytest.raises(ValueError, match=r"."):
        opened(body)


def test_a_body_is_read() -> None:
    """Bytes and text are the same."""
    assert opened(b'{"a": [1]}') == opened('{"a": [1]}') == {"a": [1]}


@pytest.mark.parametrize("check", [checked_exchange, checked_queue, checked_routing_key])
def test_names_fit_into_a_short_string(check: Any) -> None:
    """The limit is 255 bytes of UTF-8, not letters."""
    assert check("x" * 255) == "x" * 255
    for wrong in ("x" * 256, "é" * 128, "\ud800", None):
        with pytest.raises(ValueError, match=r"The (exchange|queue|routing key)"):
            check(wrong)


def test_the_nameless_exchange_is_refused() -> None:
    """It is the broker's own, and no topic exchange."""
    with pytest.raises(ValueError, match="has no name"):
        checked_exchange("")
    assert checked_routing_key("") == ""
