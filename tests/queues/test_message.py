"""What a message may be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from buttress import Service
from buttress.errors import MessageError, UnknownQueue
from buttress.queues.message import checked_attributes, checked_name, written
from tests.corpora import corpus
from tests.queues.conftest import EXTENSIONS
from tests.services import Make


@pytest.fixture
def app(make: Make) -> Service:
    """Give a service with a queue."""
    app = make(extensions=EXTENSIONS, QUEUES_URL="memory:", QUEUES_MAX_BYTES=1000)
    app.queues.broker.declare("snow")
    return app


@pytest.mark.parametrize(
    "body", [b"snow", object(), {"at": {1, 2}}, "bell\x07", "half \ud800", "\x00", "\uffff"]
)
def test_bodies_that_are_refused(app: Service, body: object) -> None:
    """What no queue carries is refused in a sentence, and nothing is sent."""
    with pytest.raises(MessageError, match="body"):
        app.queues.send("snow", body)
    assert app.queues.broker.depth("snow").ready == 0


def test_naughty_strings() -> None:
    """Every text is carried as it is, or as JSON."""
    for text in json.loads(Path(corpus("naughty-strings.json")).read_text("utf-8")):
        assert json.loads(written([text])) == [text]


def test_an_oversize_message(app: Service) -> None:
    """A message over the limit is refused with both figures, and nothing is sent."""
    with pytest.raises(MessageError, match=r"has 10\d\d bytes, and QUEUES_MAX_BYTES is 1000"):
        app.queues.send("snow", "é" * 500, attributes={"a": "b"})
    assert app.queues.broker.depth("snow").ready == 0


def test_an_unknown_queue(app: Service) -> None:
    """A queue that is not there is named, with what makes one."""
    with pytest.raises(UnknownQueue, match="no queue 'snwo'.*QUEUES_NAMES"):
        app.queues.send("snwo", "x")


@pytest.mark.parametrize("name", ["", "a b", "x" * 81, "outbox:x", None, 7, "é"])
def test_no_names(name: object) -> None:
    """What is no name of a queue is refused."""
    with pytest.raises(MessageError, match="is no name of a queue"):
        checked_name(name)


@pytest.mark.parametrize(
    "attributes",
    [{"a b": "x"}, {"": "x"}, {1: "x"}, {"a": None}, {"a": True}, {"a": ""}, {"buttress": "x"}],
)
def test_no_attributes(attributes: dict[object, object]) -> None:
    """Names and values that are not carried are refused."""
    with pytest.raises(MessageError, match="attribute"):
        checked_attributes(attributes)


def test_too_many_attributes() -> None:
    """SQS carries ten, of which one is ours."""
    with pytest.raises(MessageError, match="10 attributes are too many"):
        checked_attributes({f"a{number}": "x" for number in range(10)})


@pytest.mark.parametrize(
    "options", [{"delay": -1}, {"delay": 901}, {"dedup_id": ""}, {"group_id": "x" * 129}]
)
def test_no_options(app: Service, options: dict[str, object]) -> None:
    """Options out of their limits are refused."""
    with pytest.raises(MessageError, match="give"):
        app.queues.send("snow", "x", **options)  # type: ignore[arg-type]  # on purpose
