"""Queues at Amazon SQS, or at another server that speaks its protocol."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from buttress.backoff import pauses
from buttress.errors import MessageError, Unavailable, UnknownQueue
from buttress.queues.broker import NO_OPTIONS, Depth
from buttress.queues.message import Message, Outgoing, Receipt
from buttress.queues.sqs_client import MissingAtSqs, SqsClient, SqsRefused
from buttress.queues.sqs_message import (
    BATCH,
    batches,
    copy,
    entry,
    is_fifo,
    message_of,
    seconds,
)

if TYPE_CHECKING:
    from buttress.queues.settings import QueuesSettings

logger = logging.getLogger("buttress.queues")

#: The longest wait of one request, in seconds.
LONG_POLL = 20
#: Attempts at the entries of a batch that SQS could not take, and the pauses between, in seconds.
ATTEMPTS = 4
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
#: For how long messages are hidden that are looked at or moved, in seconds.
LOOK, MOVE = 10, 60
#: What the queue of dead letters has behind its name, and for how many seconds it keeps them.
DEAD = "-dead"
KEPT = 14 * 86_400
#: Most characters of a queue's name.
NAME = 80
#: What polls may say, and what SQS calls it.
OPTIONS = {
    "attribute_names": "AttributeNames",
    "message_attribute_names": "MessageAttributeNames",
    "receive_request_attempt_id": "ReceiveRequestAttemptId",
}
EVERYTHING = {"AttributeNames": ["All"], "MessageAttributeNames": ["All"]}
#: What SQS says of a receipt that is of no use any more: the message is gone, or with another.
STALE = frozenset(
    "ReceiptHandleIsInvalid InvalidParameterValue AWS.SimpleQueueService.MessageNotInflight "
    "MessageNotInflight".split()
)
_COUNTS = {
    "ready": "ApproximateNumberOfMessages",
    "delayed": "ApproximateNumberOfMessagesDelayed",
    "in_flight": "ApproximateNumberOfMessagesNotVisible",
}


class SqsBroker:
    """A broker at SQS; visibilities, delays and waits are whole seconds there, rounded up."""

    name = "sqs"

    def __init__(self, settings: QueuesSettings) -> None:
        self._settings = settings
        self._client = SqsClient(settings)
        self._urls: dict[str, str] = {}

    def client(self) -> Any:
        """Give boto3's client, the same one each time."""
        return self._client.get()

    def queue_url(self, name: str) -> str:
        """Give the URL of a queue, asked for once. Raises `UnknownQueue` where there is none."""
        url = self._urls.get(name)
        if url is None:
            try:
                url = str(self._client.call("get_queue_url", QueueName=name)["QueueUrl"])
            except MissingAtSqs as error:
                raise self._unknown(name) from error
            self._urls[name] = url
        return url

    def declare(self, queue: str) -> None:
        """Find a queue, or make it where SQS_CREATE allows that.

        Raises `UnknownQueue` where it may not.
        """
        try:
            self.queue_url(queue)
        except UnknownQueue:
            if not self._settings.sqs_create:
                raise
            self._create(queue)

    def send(self, queue: str, messages: Sequence[Outgoing]) -> list[Receipt]:
        """Send messages, in batches.

        Raises `MessageError` naming those that SQS refuses; the others of the call were sent.
        """
        receipts: dict[int, Receipt] = {}
        plain: list[dict[str, Any]] = []
        for number, message in enumerate(messages):
            if message.raw is not None:
                receipts[number] = self._send_raw(queue, message)
            else:
                plain.append({"Id": str(number), **entry(queue, message)})
        for batch in batches(plain, self._settings.max_bytes):
            for answer in self._sent(queue, batch):
                number = int(answer.pop("Id"))
                receipts[number] = Receipt(messages[number].id, queue, raw=answer)
        return [receipts[number] for number in range(len(messages))]

    def receive(
        self,
        queue: str,
        *,
        limit: int,
        wait: float,
        visibility: float,
        options: Mapping[str, Any] = NO_OPTIONS,
    ) -> list[Message]:
        """Take up to ten messages; `wake` does not end a wait, which is one request.

        Of a FIFO queue each comes in a request of its own, so that those of one group that are
        not its turn yet are not counted as delivered.
        """
        asked: dict[str, Any] = {
            **({OPTIONS[name]: it for name, it in options.items()} or EVERYTHING),
            "VisibilityTimeout": seconds(visibility),
            "WaitTimeSeconds": min(LONG_POLL, seconds(wait)),
        }
        if not is_fifo(queue) or "ReceiveRequestAttemptId" in asked:
            return self._take(queue, min(BATCH, limit), asked)
        found = self._take(queue, 1, asked)
        while found and len(found) < min(BATCH, limit):
            more = self._take(queue, 1, {**asked, "WaitTimeSeconds": 0})
            if not more:
                break
            found += more
        return found

    def extend(self, messages: Sequence[Message], visibility: float) -> None:
        """Hide messages for longer; of those that are not ours any more nothing is said."""
        timeout = {"VisibilityTimeout": seconds(visibility)}
        self._settle("change_message_visibility_batch", messages, timeout)

    def delete(self, messages: Sequence[Message]) -> None:
        """Delete messages; what SQS could not delete comes back."""
        self._settle("delete_message_batch", messages, {})

    def release(self, messages: Sequence[Message], delay: float) -> None:
        """Show messages again."""
        self.extend(messages, delay)

    def bury(self, messages: Sequence[Message]) -> None:
        """Copy messages to the queue of dead letters, then delete them.

        That is the one of the queue's own redrive policy, else ``<queue>-dead``, made on demand.
        """
        for queue, group in _by_queue(messages):
            dead = self._dead(queue, self._attributes(queue))
            try:
                self._copy(dead, group)
            except UnknownQueue:
                self._create(dead)
                self._copy(dead, group)
            self.delete(group)

    def depth(self, queue: str) -> Depth:
        """Count messages, as near as SQS knows; it does not tell their age."""
        found = self._attributes(queue)
        counts = {name: int(found[key]) for name, key in _COUNTS.items()}
        try:
            buried = self._attributes(self._dead(queue, found))
        except UnknownQueue:
            buried = {}
        return Depth(**counts, dead=sum(int(buried.get(key, 0)) for key in _COUNTS.values()))

    def queues(self) -> list[str]:
        """Name the queues of the region that these credentials may see."""
        pages = self._client.pages("list_queues", MaxResults=1000)
        urls = (url for page in pages for url in page.get("QueueUrls", ()))
        names = {str(url).rpartition("/")[2] for url in urls}
        return sorted(names - {_dead_name(name) for name in names})

    def peek(self, queue: str, *, limit: int, dead: bool) -> list[Message]:
        """Receive messages and give them back; SQS counts that as a delivery."""
        place = self._dead(queue, self._attributes(queue)) if dead else queue
        found: list[Message] = []
        try:
            for group in self._taken(place, limit, LOOK):
                found += group
        except UnknownQueue:
            if not dead:
                raise
        finally:
            self.release(found, 0.0)
        return found

    def replay(self, queue: str, *, limit: int) -> int:
        """Move dead letters back into their queue."""
        dead = self._dead(queue, self._attributes(queue))
        number = 0
        try:
            for group in self._taken(dead, limit, MOVE):
                self._copy(queue, [replace(message, reason=None) for message in group])
                self.delete(group)
                number += len(group)
        except UnknownQueue as error:
            if error.queue != dead:
                raise
        return number

    def purge(self, queue: str, *, dead: bool) -> int:
        """Delete all; SQS takes up to a minute, and a second purge only after that."""
        found = self._attributes(queue)
        place = self._dead(queue, found) if dead else queue
        try:
            counted = self._attributes(place) if dead else found
            self._ask(place, "purge_queue")
        except UnknownQueue:
            if not dead:
                raise
            return 0
        return sum(int(counted[key]) for key in _COUNTS.values())

    def wake(self, queue: str) -> None:
        """Leave a wait to its end: its request is at SQS."""

    def ping(self) -> None:
        """Ask for a queue; the right to list them is not needed."""
        try:
            self._client.call("list_queues", MaxResults=1)
        except SqsRefused as error:
            if "Denied" not in error.code:
                raise

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, queue: str, operation: str, **arguments: Any) -> dict[str, Any]:
        url = self.queue_url(queue)
        try:
            return self._client.call(operation, QueueUrl=url, **arguments)
        except MissingAtSqs as error:
            self._urls.pop(queue, None)
            raise self._unknown(queue) from error

    def _attributes(self, queue: str) -> dict[str, str]:
        asked = [*_COUNTS.values(), "RedrivePolicy"]
        answer = self._ask(queue, "get_queue_attributes", AttributeNames=asked)
        found: dict[str, str] = answer.get("Attributes", {})
        return found

    def _dead(self, queue: str, attributes: Mapping[str, str]) -> str:
        """Give the queue of the dead letters of a queue with these attributes."""
        policy = attributes.get("RedrivePolicy") or "{}"
        arn = msgspec.json.decode(policy, type=dict[str, Any]).get("deadLetterTargetArn")
        return _dead_name(queue) if arn is None else str(arn).rpartition(":")[2]

    def _create(self, queue: str) -> None:
        attributes = {"FifoQueue": "true"} if is_fifo(queue) else {}
        if queue.removesuffix(".fifo").endswith(DEAD):
            attributes["MessageRetentionPeriod"] = str(KEPT)
        answer = self._client.call("create_queue", QueueName=queue, Attributes=attributes)
        self._urls[queue] = str(answer["QueueUrl"])
        logger.info("Made the queue '%s' at SQS", queue)

    def _unknown(self, queue: str) -> UnknownQueue:
        return UnknownQueue(
            queue,
            f"There is no queue '{queue}' at SQS in {self._client.region}, or these credentials "
            "may not see it: make it there, or set SQS_CREATE=true.",
        )

    def _send_raw(self, queue: str, message: Outgoing) -> Receipt:
        given = message.raw or {}
        answer = self._ask(queue, "send_message", MessageBody=message.body, **given)
        return Receipt(answer["MessageId"], queue, raw=answer)

    def _sent(self, queue: str, entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Send one batch, all of it or with an error that names the rest."""
        refused: list[dict[str, Any]] = []
        left = entries
        for _, pause in zip(range(ATTEMPTS), pauses(FIRST_PAUSE, LONGEST_PAUSE), strict=False):
            answer = self._ask(queue, "send_message_batch", Entries=left)
            yield from answer.get("Successful", ())
            failed = answer.get("Failed", ())
            refused += [it for it in failed if it["SenderFault"]]
            again = {it["Id"] for it in failed if not it["SenderFault"]}
            left = [it for it in left if it["Id"] in again]
            if not left:
                break
            time.sleep(pause)
        if refused:
            reasons = sorted({f"{it['Code']}: {it.get('Message', '')}" for it in refused})
            raise MessageError(
                f"SQS refuses {len(refused)} of {len(entries)} messages for '{queue}' (number "
                f"{', '.join(it['Id'] for it in refused)} of the call): {'; '.join(reasons)}"
            )
        if left:
            raise Unavailable(f"The message queue did not take {len(left)} messages.")

    def _take(self, queue: str, number: int, asked: Mapping[str, Any]) -> list[Message]:
        answer = self._ask(queue, "receive_message", MaxNumberOfMessages=number, **asked)
        return [message_of(queue, raw) for raw in answer.get("Messages", ())]

    def _taken(self, queue: str, limit: int, visibility: int) -> Iterator[list[Message]]:
        """Take messages to look at or to move, until there are no more."""
        there = int(self._attributes(queue)[_COUNTS["ready"]])
        asked = {**EVERYTHING, "VisibilityTimeout": visibility, "WaitTimeSeconds": 1}
        number = 0
        while number < limit:
            found = self._take(queue, min(BATCH, limit - number), asked)
            if found:
                yield found
            number += len(found)
            if not found or number >= there:
                break

    def _copy(self, queue: str, messages: Sequence[Message]) -> None:
        most = self._settings.max_bytes
        written = [
            {"Id": str(number), **copy(queue, message, most)}
            for number, message in enumerate(messages)
        ]
        for batch in batches(written, most):
            list(self._sent(queue, batch))

    def _settle(self, operation: str, messages: Sequence[Message], more: Mapping[str, Any]) -> None:
        for queue, group in _by_queue(messages):
            for first in range(0, len(group), BATCH):
                entries = [
                    {"Id": str(number), "ReceiptHandle": message.tag, **more}
                    for number, message in enumerate(group[first : first + BATCH])
                ]
                self._settled(queue, operation, entries)

    def _settled(self, queue: str, operation: str, entries: list[dict[str, Any]]) -> None:
        left = entries
        for _, pause in zip(range(ATTEMPTS), pauses(FIRST_PAUSE, LONGEST_PAUSE), strict=False):
            failed = self._ask(queue, operation, Entries=left).get("Failed", ())
            for it in failed:
                level = logging.DEBUG if it["Code"] in STALE else logging.WARNING
                text = "%s: SQS refuses %s for a message: %s %s"
                logger.log(level, text, queue, operation, it["Code"], it.get("Message", ""))
            again = {it["Id"] for it in failed if not it["SenderFault"]}
            left = [it for it in left if it["Id"] in again]
            if not left:
                return
            time.sleep(pause)
        logger.warning(
            "%s: %s failed for %s messages, which come back", queue, operation, len(left)
        )


def _dead_name(queue: str) -> str:
    """Name the queue of the dead letters; a long name is cut, and told apart by its digest."""
    stem, fifo = queue.removesuffix(".fifo"), ".fifo" if is_fifo(queue) else ""
    room = NAME - len(DEAD) - len(fifo)
    if len(stem) > room:
        digest = hashlib.sha256(stem.encode()).hexdigest()[:8]
        stem = f"{stem[: room - 9]}-{digest}"
    return f"{stem}{DEAD}{fifo}"


def _by_queue(messages: Sequence[Message]) -> list[tuple[str, list[Message]]]:
    found: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        found[message.queue].append(message)
    return list(found.items())
