"""Gnar Gear's interface: ``sqs=`` polls and ``send_sqs_message``, on whichever broker there is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from buttress.errors import ConfigError, ExtensionError, MessageError
from buttress.queues import digest
from buttress.queues.consumer import Plan
from buttress.queues.message import Message, checked_name

if TYPE_CHECKING:
    from buttress.queues.queues import Queues
    from buttress.queues.settings import QueuesSettings

logger = logging.getLogger("buttress.queues")

Callback = Callable[[dict[str, Any]], Any]

#: The documented properties of a poll; `parallel` is ours.
PROPERTIES = (
    "queue_name",
    "callback",
    "interval_seconds",
    "attribute_names",
    "max_number_of_messages",
    "message_attribute_names",
    "receive_request_attempt_id",
    "visibility_timeout",
    "wait_time_seconds",
    "parallel",
)
#: The documented arguments of a message, as SQS calls them.
ARGUMENTS = {
    "delay_seconds": "DelaySeconds",
    "message_attributes": "MessageAttributes",
    "message_deduplication_id": "MessageDeduplicationId",
    "message_group_id": "MessageGroupId",
}
#: Messages that AWS's own redrive policy gives up, or nobody.
FOR_EVER = 2**31
INTERVAL = 60.0


class Polls:
    """Compose polls and messages of the documented form from the consumers of `Queues`."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    def add(
        self, sqs: Mapping[str, Any] | Sequence[Mapping[str, Any]], settings: QueuesSettings
    ) -> None:
        """Consume the queues that ``sqs`` describes. Raises `ConfigError` with all faults."""
        polls = [sqs] if isinstance(sqs, Mapping) else list(sqs)
        problems = [problem for poll in polls for problem in _problems(poll)]
        if problems:
            raise ConfigError(problems)
        for poll in polls:
            self._queues.add(_plan(poll, settings))
            interval = poll.get("interval_seconds", INTERVAL)
            logger.info("Polling SQS queue %s every %g seconds", poll["queue_name"], interval)

    def send(
        self, queue_name: str, message_body: str, arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Send a message at once, and give what SQS answers. Raises what `Queues.send` raises.

        ``arguments`` are those of `ARGUMENTS`; ``None`` is as if it were not there.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        attributes = given.get("message_attributes", {})
        message = self._queues.outgoing(
            message_body,
            given.get("delay_seconds"),
            self._plain(attributes),
            given.get("message_deduplication_id"),
            given.get("message_group_id"),
        )
        raw = {ARGUMENTS[name]: value for name, value in given.items()}
        receipt = self._queues.post(
            checked_name(queue_name), replace(message, raw=raw), at_once=True
        )
        if receipt.raw:
            return dict(receipt.raw)
        answer = {"MessageId": receipt.id, "MD5OfMessageBody": digest.of_body(message.body)}
        if attributes:
            answer["MD5OfMessageAttributes"] = digest.of_attributes(attributes)
        return answer

    def _plain(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Read attributes in the form that SQS wants, or plain ones.

        At SQS those of bytes go along as they are. Raises `MessageError` for them elsewhere.
        """
        found = {}
        for name, value in attributes.items():
            it = value if isinstance(value, Mapping) else {"StringValue": value}
            if "BinaryValue" not in it:
                found[name] = it.get("StringValue", value)
            elif self._queues.broker.name != "sqs":
                raise MessageError(
                    f"The attribute {name} has bytes, which only SQS carries: encode them as text."
                )
        return found

    def client(self) -> Any:
        """Give boto3's client."""
        return self._of_sqs("client")()

    def queue_url(self, name: str) -> str:
        """Give the URL of a queue."""
        url: str = self._of_sqs("queue_url")(name)
        return url

    def _of_sqs(self, attribute: str) -> Any:
        found = getattr(self._queues.broker, attribute, None)
        if found is None:
            raise ExtensionError(
                "queues",
                f"The broker is '{self._queues.broker.name}', not SQS: set QUEUES_URL=sqs: or an "
                "SQS_ key.",
            )
        return found


def _plan(poll: Mapping[str, Any], settings: QueuesSettings) -> Plan:
    visibility = poll.get("visibility_timeout")
    parallel = poll.get("parallel")
    interval = float(poll.get("interval_seconds", INTERVAL))
    return Plan(
        queue=poll["queue_name"],
        handler=_handler(poll["callback"]),
        parallel=parallel or 1,
        prefetch=poll.get("max_number_of_messages", 1),
        visibility=float(settings.visibility if visibility is None else visibility),
        max_deliveries=FOR_EVER,
        retry_delay=settings.retry_delay,
        wait=float(poll.get("wait_time_seconds", settings.wait)),
        interval=interval,
        exclusive=parallel is None,
        leave_delay=None,
        options={key: poll[key] for key in _FOR_SQS if key in poll},
    )


#: What only SQS understands.
_FOR_SQS = ("attribute_names", "message_attribute_names", "receive_request_attempt_id")


def _handler(callback: Callback) -> Callable[[Message], Any]:
    def handle(message: Message) -> Any:
        return callback(as_sqs(message))

    return handle


def as_sqs(message: Message) -> dict[str, Any]:
    """Write a message with the keys that SQS gives it."""
    if message.raw:
        return dict(message.raw)
    attributes = {
        name: {"StringValue": value, "DataType": "String"}
        for name, value in message.attributes.items()
    }
    sent = str(round((message.sent or 0) * 1000))
    return {
        "MessageId": message.id,
        "ReceiptHandle": str(message.tag),
        "Body": message.body,
        "MD5OfBody": digest.of_body(message.body),
        "Attributes": {"SentTimestamp": sent, "ApproximateReceiveCount": str(message.count)},
        **({"MessageAttributes": attributes} if attributes else {}),
    }


def _problems(poll: Mapping[str, Any]) -> Iterator[str]:
    name = poll.get("queue_name")
    where = f"sqs: the poll of {name!r}"
    for key in poll.keys() - set(PROPERTIES):
        yield f"{where} has no property {key!r}; there are {', '.join(PROPERTIES)}."
    try:
        checked_name(name)
    except MessageError as error:
        yield f"sqs: a poll needs a queue_name: {error}"
    if not callable(poll.get("callback")):
        yield f"{where} needs a callback that can be called, not {poll.get('callback')!r}."
    for key, (least, most) in _LIMITS.items():
        value = poll.get(key, least)
        kind = float if key == "interval_seconds" else int
        if (
            isinstance(value, bool)
            or not isinstance(value, int | kind)
            or not (least <= value <= most)
        ):
            noun = "number" if kind is float else "whole number"
            yield f"{where}: {key} is {value!r}, but must be a {noun} from {least} to {most}."


_LIMITS = {
    "interval_seconds": (0, 86_400),
    "max_number_of_messages": (1, 10),
    "visibility_timeout": (1, 43_200),
    "wait_time_seconds": (0, 20),
    "parallel": (1, 1000),
}
