"""Gnar Gear's interface, on a broker that needs no server."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import sqlalchemy as sa

from buttress import ConfigError, ExtensionError, Service
from buttress.errors import MessageError
from tests.queues.conftest import EXTENSIONS, QUICK, eventually
from tests.services import Make

BODY = "The gnarliest gear in the world 🤙"


@pytest.fixture
def app(make: Make) -> Service:
    """Give a service with queues in memory."""
    return make(extensions=EXTENSIONS, QUEUES_URL="memory:", **QUICK)


def test_send_and_poll(app: Service) -> None:
    """A message that was sent as documented arrives with the documented keys."""
    found: list[dict[str, Any]] = []
    app.queues.poll({"queue_name": "gnar-queue", "callback": found.append, "interval_seconds": 1})
    app.start()
    sent = app.send_sqs_message("gnar-queue", BODY, delay_seconds=0)
    digest = hashlib.md5(BODY.encode(), usedforsecurity=False).hexdigest()
    assert sent["MD5OfMessageBody"] == digest
    assert eventually(lambda: len(found) == 1)
    message = found[0]
    assert (message["Body"], message["MD5OfBody"]) == (BODY, digest)
    assert message["MessageId"] == sent["MessageId"]


def test_false_keeps_the_message(app: Service) -> None:
    """Where the callback returns ``False`` the message is not deleted, and comes again."""
    found: list[str] = []

    def callback(message: dict[str, Any]) -> bool:
        found.append(message["Attributes"]["ApproximateReceiveCount"])
        return len(found) > 1

    poll = {"queue_name": "q", "callback": callback, "interval_seconds": 0.1}
    app.queues.poll([{**poll, "visibility_timeout": 1}])
    app.start()
    app.send_sqs_message("q", "x")
    assert eventually(lambda: found == ["1", "2"])


def test_until_the_queue_is_empty(app: Service) -> None:
    """After messages the queue is looked at again at once; the interval follows nothing."""
    found: list[str] = []
    app.queues.broker.declare("q")
    for number in range(5):
        app.send_sqs_message("q", str(number))
    poll = {"queue_name": "q", "callback": lambda it: found.append(it["Body"])}
    app.queues.poll({**poll, "interval_seconds": 600})
    app.start()
    assert eventually(lambda: found == ["0", "1", "2", "3", "4"])


def test_a_raising_callback(app: Service) -> None:
    """A callback that raises ends neither the start nor the polling."""
    found: list[str] = []

    def callback(message: dict[str, Any]) -> None:
        found.append(message["Body"])
        if message["Body"] == "bad":
            raise RuntimeError("no snow")

    app.queues.poll({"queue_name": "q", "callback": callback, "interval_seconds": 0.1})
    app.start()
    app.send_sqs_message("q", "bad")
    app.send_sqs_message("q", "good")
    assert eventually(lambda: "good" in found)


@pytest.mark.parametrize(
    ("poll", "sentence"),
    [
        ({"callback": print}, "a poll needs a queue_name"),
        ({"queue_name": "q"}, "'q' needs a callback that can be called, not None"),
        ({"queue_name": "q", "callback": "print"}, "not 'print'"),
        (
            {"queue_name": "q", "callback": print, "max_number_of_messages": 11},
            "max_number_of_messages is 11, but must be a whole number from 1 to 10",
        ),
        (
            {"queue_name": "q", "callback": print, "max_number_of_messages": 2.5},
            "max_number_of_messages is 2.5, but must be a whole number",
        ),
        (
            {"queue_name": "q", "callback": print, "visibility_timeout": 0},
            "visibility_timeout is 0, but must be a whole number from 1 to",
        ),
        ({"queue_name": "my queue", "callback": print}, "'my queue' is no name of a queue"),
        ({"queue_name": "q", "callback": print, "intervall": 1}, "has no property 'intervall'"),
    ],
)
def test_polls_that_are_wrong(app: Service, poll: dict[str, Any], sentence: str) -> None:
    """A poll that is not as documented is refused in a sentence."""
    with pytest.raises(ConfigError, match=sentence):
        app.queues.poll(poll)


def test_an_argument_that_is_not_documented(app: Service) -> None:
    """A misspelt argument is refused."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'delay'"):
        app.send_sqs_message("q", "x", delay=3)


def test_the_optional_arguments_by_position(app: Service) -> None:
    """The optional arguments stand in the documented order."""
    app.queues.broker.declare("q")
    sent = app.send_sqs_message("q", "x", 0, {"resort": "Arosa"}, "dedup", "group")
    [message] = app.queues.broker.receive("q", limit=2, wait=0, visibility=9)
    assert (message.attributes, message.group_id) == ({"resort": "Arosa"}, "group")
    assert sent["MessageId"] == message.id
    assert app.send_sqs_message("q", "x", 0, None, "dedup", "group")["MessageId"] == message.id


def test_the_digest_of_attributes(app: Service) -> None:
    """The answer has the digest of the attributes, if there are any."""
    app.queues.broker.declare("q")
    attributes = {"resort": {"DataType": "String", "StringValue": "Arosa"}}
    sent = app.send_sqs_message("q", "x", message_attributes=attributes)
    # Length and text of the name, the type and, after the kind of value, the value.
    parts = (b"\0\0\0\6resort", b"\0\0\0\6String", b"\1\0\0\0\5Arosa")
    expected = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
    assert sent["MD5OfMessageAttributes"] == expected
    assert "MD5OfMessageAttributes" not in app.send_sqs_message("q", "x")


def test_bytes_elsewhere_than_at_sqs(app: Service) -> None:
    """An attribute of bytes is refused where it cannot be carried."""
    app.queues.broker.declare("q")
    attributes = {"photo": {"DataType": "Binary", "BinaryValue": b"\x89"}}
    with pytest.raises(MessageError, match="photo has bytes, which only SQS carries"):
        app.send_sqs_message("q", "x", message_attributes=attributes)


def test_inside_a_transaction_of_its_own_database(sqlite: Service) -> None:
    """A message to a queue in the database does not wait for the session that has it locked."""
    sqlite.db.migrations.upgrade()
    sqlite.db.run("CREATE TABLE lift (id INTEGER)")
    sqlite.queues.broker.declare("q")
    with sqlite.app_context():
        sqlite.db.session.execute(sa.text("INSERT INTO lift VALUES (1)"))
        sent = sqlite.send_sqs_message("q", "x")
        sqlite.db.session.commit()
    [message] = sqlite.queues.broker.receive("q", limit=2, wait=0, visibility=9)
    assert message.id == sent["MessageId"]


def test_what_only_sqs_has(app: Service) -> None:
    """Amazon's client is for services whose broker is SQS."""
    with pytest.raises(ExtensionError, match="The broker is 'memory', not SQS"):
        app.get_sqs_client()
