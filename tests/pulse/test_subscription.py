"""What a consumer may ask for, and how its queues are called."""

from __future__ import annotations

from typing import Any

import pytest

from buttress import ExtensionError
from buttress.pulse.subscription import Subscription, subscription


def ingest(body: Any, message: Any) -> None:
    """Be a handler."""


def asked(handler: Any = ingest, **options: Any) -> Subscription:
    """Ask for a consumer."""
    given: dict[str, Any] = {
        "user": "resort",
        "exchange": "exchange/piste/snow",
        "routing_key": "#",
        "queue": None,
        "prefetch": 1,
        "declare_exchange": False,
        **options,
    }
    return subscription(handler, **given)


def test_queues_are_called_as_on_pulse() -> None:
    """The user comes first, then the name of the function or the one that is given."""
    assert asked().queue == "queue/resort/ingest"
    assert asked(queue="snow").queue == "queue/resort/snow"
    assert asked(queue="queue/resort/snow").queue == "queue/resort/snow"


def test_dead_letters_stay_with_the_user() -> None:
    """The queue and the exchange for them have names that the user may declare on Pulse."""
    found = asked(queue="snow")
    assert (found.dead_queue, found.own_exchange) == (
        "queue/resort/snow/dead",
        "exchange/resort/queues",
    )


def test_one_routing_key_or_several() -> None:
    """Either way they are a tuple."""
    assert asked(routing_key="a.*").routing_keys == ("a.*",)
    assert asked(routing_key=["a.*", "b"]).routing_keys == ("a.*", "b")


@pytest.mark.parametrize(
    ("handler", "options", "problem"),
    [
        ("ingest", {}, "takes a function, not 'ingest'"),
        (lambda _: None, {}, r"two arguments: \(body, message\)"),
        (ingest, {"exchange": ""}, "ingest: The exchange has no name"),
        (ingest, {"exchange": "x" * 256}, "exchange is 256 bytes long"),
        (ingest, {"routing_key": ()}, "at least one routing key"),
        (ingest, {"queue": ""}, "give queue=… a name"),
        (ingest, {"queue": "x" * 240}, "queue is 258 bytes long"),
        (ingest, {"prefetch": 0}, "prefetch=0 must be from 1"),
    ],
)
def test_what_cannot_be_a_consumer_is_told(
    handler: Any, options: dict[str, Any], problem: str
) -> None:
    """The sentence names the function and what is wrong."""
    with pytest.raises(ExtensionError, match=problem):
        asked(handler, **options)
