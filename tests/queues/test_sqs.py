"""The broker at SQS, which moto plays."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from buttress.config import Secret
from buttress.errors import ConfigError, MessageError, Unavailable, UnknownQueue
from buttress.queues.sqs import SqsBroker
from buttress.queues.sqs_client import SqsRefused
from buttress.testing.contracts.queue_groups import (
    test_a_visibility_ends,
    test_a_visibility_is_extended,
)
from buttress.testing.contracts.queues import *  # noqa: F403  # the contract
from buttress.testing.contracts.queues import emptied, outgoing, received
from tests.queues.brokers import sqs_broker, sqs_queue
from tools.services.place import free_port

__all__ = ["test_a_visibility_ends", "test_a_visibility_is_extended"]


@pytest.fixture(scope="module")
def broker() -> Iterator[SqsBroker]:
    """Give a broker; making its client is slow."""
    with sqs_broker() as broker:
        yield broker


@pytest.fixture
def queue(broker: SqsBroker) -> Iterator[str]:
    """Give a queue."""
    with sqs_queue(broker) as name:
        yield name


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep what this machine says of AWS out of the test."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_each_message_goes_to_one(broker: SqsBroker, queue: str) -> None:
    """Several who receive at the same time get all; SQS may give some of them twice."""
    broker.send(queue, [outgoing(str(number)) for number in range(40)])
    found: list[str] = []

    def work() -> None:
        found.extend(message.body for message in emptied(broker, queue))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {int(body) for body in found} == set(range(40))
    assert len(found) < 50


class _Answering:
    """Stands in for boto3's client where SQS would have to fail in part."""

    def __init__(self, client: Any, operation: str, *failures: dict[str, Any]) -> None:
        self._client, self._operation, self._failures = client, operation, list(failures)
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return self._fail if name == self._operation else getattr(self._client, name)

    def _fail(self, **arguments: Any) -> dict[str, Any]:
        self.calls += 1
        if not self._failures:
            answer: dict[str, Any] = getattr(self._client, self._operation)(**arguments)
            return answer
        failure = self._failures.pop(0)
        first, *rest = arguments["Entries"]
        answer = getattr(self._client, self._operation)(**{**arguments, "Entries": rest})
        return {**answer, "Failed": [{"Id": first["Id"], **failure}]}


def failing(
    monkeypatch: pytest.MonkeyPatch, broker: SqsBroker, operation: str, **failure: Any
) -> Any:
    """Let the first entry of the next request fail."""
    answering = _Answering(broker.client(), operation, failure)
    monkeypatch.setattr(broker._client, "get", lambda: answering)
    return answering


def test_an_entry_that_failed_is_sent_again(
    broker: SqsBroker, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What SQS could not take by no fault of ours is sent again, alone."""
    answering = failing(
        monkeypatch, broker, "send_message_batch", SenderFault=False, Code="InternalError"
    )
    broker.send(queue, [outgoing("a"), outgoing("b")])
    assert answering.calls == 2
    assert sorted(it.body for it in received(broker, queue, 2)) == ["a", "b"]


def test_an_entry_that_is_refused_is_named(
    broker: SqsBroker, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What SQS refuses is named, with its reason; the others are sent."""
    failing(monkeypatch, broker, "send_message_batch", SenderFault=True, Code="Odd", Message="no.")
    with pytest.raises(MessageError, match="refuses 1 of 2 .*number 0 .*Odd: no."):
        broker.send(queue, [outgoing("a"), outgoing("b")])
    assert [it.body for it in received(broker, queue, 1)] == ["b"]


def test_a_deletion_that_failed_is_tried_again(
    broker: SqsBroker, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What SQS could not delete is deleted in another request."""
    broker.send(queue, [outgoing("a"), outgoing("b")])
    found = received(broker, queue, 2)
    with monkeypatch.context() as patch:
        failing(patch, broker, "delete_message_batch", SenderFault=False, Code="InternalError")
        broker.delete(found)
    assert broker.depth(queue)[:3] == (0, 0, 0)


def test_a_batch_is_parted_by_size(broker: SqsBroker, queue: str) -> None:
    """Messages that are too many bytes for one request go in several."""
    broker.send(queue, [outgoing("x" * 200_000) for _ in range(7)])
    assert broker.depth(queue).ready == 7


def test_urls_belong_to_one_broker(broker: SqsBroker, queue: str) -> None:
    """Each broker asks for URLs itself, once, and asks again when a queue has gone."""
    url = broker.queue_url(queue)
    assert url.endswith(f"/{queue}")
    with sqs_broker() as other:
        assert other._urls == {}
    broker.client().delete_queue(QueueUrl=url)
    with pytest.raises(UnknownQueue):
        broker.send(queue, [outgoing()])
    broker.declare(queue)
    broker.send(queue, [outgoing()])


def test_no_queue_is_made_unasked(broker: SqsBroker) -> None:
    """Without SQS_CREATE a missing queue is an error that names the setting."""
    raised = pytest.raises(UnknownQueue, match="SQS_CREATE=true")
    with sqs_broker(sqs_create=False) as careful, raised:
        careful.declare("nowhere-at-all")
    assert "nowhere-at-all" not in broker.queues()


def test_gnars_arguments_are_sent_as_they_are(broker: SqsBroker, queue: str) -> None:
    """A message of Gnar's interface carries what it says and nothing else."""
    raw = {"MessageAttributes": {"n": {"DataType": "Number", "StringValue": "7"}}}
    receipt = broker.send(queue, [outgoing("snow", raw=raw)])[0]
    message = received(broker, queue, 1)[0]
    assert receipt.raw["MessageId"] == receipt.id == message.id
    assert receipt.raw["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert message.raw["MessageAttributes"] == raw["MessageAttributes"]
    assert (message.attributes, message.count) == ({"n": "7"}, 1)


def test_gnars_options_are_passed_on(broker: SqsBroker, queue: str) -> None:
    """A poll gets the attributes that it asks for."""
    broker.send(queue, [outgoing(attributes={"a": "1", "b": "2"})])
    options = {"message_attribute_names": ["a"], "attribute_names": ["SentTimestamp"]}
    found = broker.receive(queue, limit=1, wait=1, visibility=30, options=options)[0]
    assert list(found.raw["MessageAttributes"]) == ["a"]
    assert list(found.raw["Attributes"]) == ["SentTimestamp"]


def test_a_redrive_policy_names_the_dead_letters(broker: SqsBroker, queue: str) -> None:
    """Dead letters go where the queue's own policy has them."""
    with sqs_queue(broker, "-lost") as lost:
        asked = {"QueueUrl": broker.queue_url(lost), "AttributeNames": ["QueueArn"]}
        arn = broker.client().get_queue_attributes(**asked)["Attributes"]["QueueArn"]
        policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": 100}}'
        attributes = {"RedrivePolicy": policy}
        url = broker.queue_url(queue)
        broker.client().set_queue_attributes(QueueUrl=url, Attributes=attributes)
        broker.send(queue, [outgoing("bad")])
        broker.bury([it.because("no snow") for it in received(broker, queue, 1)])
        assert (broker.depth(lost).ready, broker.depth(queue).dead) == (1, 1)


def test_a_long_reason_is_cut(broker: SqsBroker, queue: str) -> None:
    """A dead letter is not larger than a queue takes, whatever its reason."""
    broker.send(queue, [outgoing("x" * 262_000)])
    broker.bury([it.because("❄" * 5_000) for it in received(broker, queue, 1)])
    [dead] = broker.peek(queue, limit=1, dead=True)
    assert len(dead.body) == 262_000
    assert set(dead.reason or "❄") == {"❄"}


def test_somebody_elses_attribute(broker: SqsBroker, queue: str) -> None:
    """An attribute that is called like ours and is not does no harm."""
    odd = {"buttress": {"DataType": "String", "StringValue": "["}}
    broker.send(queue, [outgoing("snow", raw={"MessageAttributes": odd})])
    message = received(broker, queue, 1)[0]
    assert (message.body, message.id) == ("snow", message.raw["MessageId"])
    assert message.sent is not None


def test_a_missing_region(no_aws: None) -> None:
    """Without a region the broker is not made, and the setting is named."""
    with pytest.raises(ConfigError, match="SQS_REGION_NAME"), sqs_broker(url=Secret("sqs:")):
        pass


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"url": Secret("sqs://key:secret@eu-west-1")}, "write sqs:// and a region"),
        ({"sqs_region_name": "eu-west-2"}, "names the region eu-west-1, and SQS_REGION_NAME"),
        ({"sqs_access_key_id": None}, "Set both of SQS_ACCESS_KEY_ID"),
    ],
)
def test_settings_that_do_not_fit(settings: dict[str, Any], sentence: str) -> None:
    """Settings that contradict each other are an error, which shows no secret."""
    with pytest.raises(ConfigError, match=sentence) as caught, sqs_broker(**settings):
        pass
    assert "secret@" not in str(caught.value)


def test_an_endpoint_that_is_none() -> None:
    """An endpoint that is no URL is named when it is needed."""
    raised = pytest.raises(ConfigError, match="SQS_ENDPOINT_URL: .*nowhere")
    with sqs_broker(sqs_endpoint_url="nowhere") as broker, raised:
        broker.ping()


def test_no_credentials(no_aws: None) -> None:
    """Without credentials the settings are named."""
    raised = pytest.raises(SqsRefused, match="set SQS_ACCESS_KEY_ID")
    with sqs_broker(sqs_access_key_id=None, sqs_secret_access_key=None) as broker, raised:
        broker.ping()


def test_sqs_is_down() -> None:
    """While SQS does not answer, what needs it is unavailable."""
    raised = pytest.raises(Unavailable, match="does not answer")
    with sqs_broker(sqs_endpoint_url=f"http://127.0.0.1:{free_port()}") as broker, raised:
        broker.send("snow", [outgoing()])


def test_a_fork_has_a_client_of_its_own(broker: SqsBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client is not used beyond a fork."""
    with sqs_broker() as other:
        before = other.client()
        assert other.client() is before
        monkeypatch.setattr(os, "getpid", lambda: -1)
        assert other.client() is not before
