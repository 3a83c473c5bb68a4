"""A message as a handler sees it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from buttress import LifecycleError
from buttress.pulse import Message

OWN = "exchange/resort/queues"
SNOW = "exchange/resort/snow"


def received(
    body: bytes = b"{}", *, by: str = SNOW, redelivered: bool = False, **headers: Any
) -> tuple[Message, list[Any]]:
    """Give a message with this body, and the list of what becomes of it."""
    raw = SimpleNamespace(
        body=body,
        delivery_info={"exchange": by, "routing_key": "piste.7", "redelivered": redelivered},
        properties={"application_headers": headers, "message_id": "m-1"},
    )
    became: list[Any] = []
    return Message(raw, OWN, lambda _, *it: became.append(it)), became


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        (b'{"payload": {"cm": 30}, "_meta": {}}', {"cm": 30}),
        (b'{"cm": 30}', {"cm": 30}),
        (b"[1]", [1]),
    ],
)
def test_the_payload_is_what_is_in_the_envelope(body: bytes, payload: Any) -> None:
    """Where there is no envelope it is the body."""
    assert received(body)[0].payload == payload


def test_deliveries_are_counted_from_one() -> None:
    """The broker counts those before; what is no number counts for none."""
    assert received()[0].deliveries == 1
    assert received(**{"x-delivery-count": 4})[0].deliveries == 5
    assert received(**{"x-delivery-count": "many"})[0].deliveries == 1


COPIED = {"X-Deliveries": 3, "X-Origin-Exchange": SNOW, "X-Origin-Routing-Key": "piste.9"}


def test_a_copy_says_what_the_message_was() -> None:
    """It came back by the user's own exchange, with its count and its origin."""
    message = received(by=OWN, **COPIED)[0]
    assert (message.deliveries, message.exchange, message.routing_key) == (4, SNOW, "piste.9")
    assert message.origin() == {**COPIED, "X-Deliveries": 4}


def test_a_stranger_cannot_make_a_copy() -> None:
    """The same headers by another exchange mean nothing."""
    message = received(by="exchange/other/x", **COPIED)[0]
    assert (message.deliveries, message.exchange) == (1, "exchange/other/x")


def test_a_delivery_that_nobody_counted_is_noticed() -> None:
    """A quorum queue counts; any other only says that there was one."""
    assert received(redelivered=True)[0].uncounted
    assert not received(redelivered=True, **{"x-delivery-count": 1})[0].uncounted
    assert not received()[0].uncounted


def test_a_request_id_is_text() -> None:
    """A stranger's header of another kind is none."""
    assert received(**{"X-Request-Id": "abc"})[0].request_id == "abc"
    assert received(**{"X-Request-Id": 7})[0].request_id is None


@pytest.mark.parametrize(
    ("method", "settlement"),
    [("ack", "acknowledged"), ("reject", "rejected"), ("requeue", "requeued")],
)
def test_a_message_is_settled_once(method: str, settlement: str) -> None:
    """A second settlement is refused and does not reach the broker."""
    message, became = received()
    getattr(message, method)()
    assert message.settled == settlement
    with pytest.raises(LifecycleError, match=f"is {settlement} already"):
        message.ack()
    assert [it for it, _ in became] == [settlement]


def test_a_rejection_may_have_a_reason() -> None:
    """It goes along into the dead-letter queue."""
    message, became = received()
    message.reject("no such piste")
    assert became == [("rejected", "no such piste")]


def test_its_text_shows_no_content() -> None:
    """What the log says of a message is where it came from."""
    assert repr(received(b'"secret"')[0]) == (
        "<Message 'piste.7' of 'exchange/resort/snow', delivery 1>"
    )
