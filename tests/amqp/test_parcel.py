"""What is sent again of a received message."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from buttress.amqp.parcel import copy_of, headers_of, is_uncounted


def raw(headers: dict[str, Any], *, redelivered: bool = False, **properties: Any) -> Any:
    """Make a message as py-amqp gives it."""
    return SimpleNamespace(
        body=b"snow",
        delivery_info={"redelivered": redelivered},
        properties={"application_headers": headers, **properties},
    )


def test_a_copy_has_what_its_reader_needs() -> None:
    """Its body and its properties stay; it outlives the broker, and has the new headers."""
    copy = copy_of(raw({"old": 1}, message_id="m-1", content_type="text/plain"), {"new": 2})
    assert (copy.body, copy.properties["message_id"]) == (b"snow", "m-1")
    assert (copy.properties["content_type"], copy.properties["delivery_mode"]) == ("text/plain", 2)
    assert copy.properties["application_headers"] == {"new": 2}


@pytest.mark.parametrize("name", ["user_id", "expiration", "cluster_id"])
def test_a_copy_has_nothing_that_only_its_sender_may_say(name: str) -> None:
    """The broker refuses another user's id, and drops a dead letter that expires."""
    assert name not in copy_of(raw({}, **{name: "7"}), {}).properties


@pytest.mark.parametrize(
    "name", ["CC", "BCC", "x-death", "x-delivery-count", "x-first-death-queue"]
)
def test_headers_that_steer_the_broker_stay_behind(name: str) -> None:
    """A copy goes where it is sent and nowhere else."""
    assert headers_of(raw({name: ["other"], "CCI": 1})) == {"CCI": 1}


def test_a_delivery_is_uncounted_where_it_is_only_marked() -> None:
    """A quorum queue counts; any other only says that there was one."""
    assert is_uncounted(raw({}, redelivered=True))
    assert not is_uncounted(raw({"x-delivery-count": 1}, redelivered=True))
    assert not is_uncounted(raw({}))
