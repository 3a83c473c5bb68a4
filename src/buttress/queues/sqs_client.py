"""A client of Amazon SQS: its settings, and what its errors mean here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from buttress.aws import NO_CREDENTIALS, NOT_TAKEN, Access, AwsClient, AwsError
from buttress.errors import ConfigError, MessageError, SetupError, Unavailable

if TYPE_CHECKING:
    from buttress.queues.settings import QueuesSettings

#: Seconds for an answer; a long poll takes up to 20.
ANSWER = 30.0
#: Connections that are kept open, which is how many threads use SQS without waiting.
CONNECTIONS = 50
#: Attempts in all at a call that failed by no fault of ours, as botocore counts them.
ATTEMPTS = 3

_URL = re.compile(r"sqs:(?://([a-z0-9-]*)/?)?", re.IGNORECASE)
#: Codes of what is over by itself; a status of 500 or more is, too.
PASSING = frozenset(
    "Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException "
    "TooManyRequestsException KmsThrottled KMS.ThrottlingException OverLimit "
    "AWS.SimpleQueueService.OverLimit RequestLimitExceeded SlowDown RequestTimeout "
    "RequestExpired ExpiredToken ExpiredTokenException".split()
)
MISSING = frozenset(
    "AWS.SimpleQueueService.NonExistentQueue QueueDoesNotExist NonExistentQueue".split()
)
PURGING = frozenset("AWS.SimpleQueueService.PurgeQueueInProgress PurgeQueueInProgress".split())


class SqsRefused(SetupError):
    """Raised when Amazon SQS does not allow what is asked; ``code`` is its word for that."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[1])


class MissingAtSqs(Exception):
    """Raised when SQS does not know a queue; the broker knows its name."""


class SqsClient(AwsClient):
    """A client of SQS."""

    def __init__(self, settings: QueuesSettings) -> None:
        super().__init__(
            _access(settings),
            connect_timeout=settings.connect_timeout,
            read_timeout=ANSWER,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=CONNECTIONS,
            tcp_keepalive=True,
        )

    def get(self) -> Any:
        """Give boto3's client, the same one each time. Raises what `call` raises."""
        with self._meant("to be reached"):
            return super().get()

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Call an operation, such as ``send_message``.

        Raises `Unavailable` while SQS is down, `SqsRefused` for what is not allowed,
        `MissingAtSqs` for a queue that is not there, and `MessageError` for the rest.
        """
        with self._meant(operation):
            answer: dict[str, Any] = getattr(self.get(), operation)(**arguments)
        return answer

    def pages(self, operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """Call an operation until all of its answer is there. Raises what `call` raises."""
        with self._meant(operation):
            yield from self.get().get_paginator(operation).paginate(**arguments)

    @contextmanager
    def _meant(self, what: str) -> Iterator[None]:
        """Raise what the contract of a broker wants."""
        try:
            with self.failures():
                yield
        except AwsError as error:
            raise _meaning(what, error) from error
        except ConnectionError as error:
            raise Unavailable("The message queue does not answer.") from error


def _meaning(what: str, error: AwsError) -> Exception:
    code, status = error.code, error.status
    if code == NO_CREDENTIALS:
        return SqsRefused(code, error.text)
    if code == NOT_TAKEN:
        return MessageError(f"Amazon SQS does not take this: {error.text}")
    if code in MISSING:
        return MissingAtSqs(error.text)
    if code in PURGING:
        return Unavailable("The queue is purged already; once a minute is allowed.", retry_after=60)
    if code in PASSING or status >= 500 or status == 429:
        return Unavailable("The message queue does not take requests now.")
    if status in (401, 403) or "Denied" in code or code in _REFUSALS:
        said = f"Amazon SQS refuses {what}: {error}"
        return SqsRefused(code, f"{said}. Give these credentials the right to sqs:{_camel(what)}.")
    return MessageError(f"Amazon SQS refuses {what}: {error}")


_REFUSALS = frozenset(
    "InvalidClientTokenId SignatureDoesNotMatch UnrecognizedClientException "
    "IncompleteSignature MissingAuthenticationToken InvalidSecurity OptInRequired".split()
)


def _camel(operation: str) -> str:
    return operation.replace("_batch", "").title().replace("_", "")


def _access(settings: QueuesSettings) -> Access:
    key, secret = settings.sqs_access_key_id, settings.sqs_secret_access_key
    if (key is None) != (secret is None):
        raise ConfigError(["Set both of SQS_ACCESS_KEY_ID and SQS_SECRET_ACCESS_KEY, or neither."])
    return Access(
        name="SQS",
        url="QUEUES_URL=sqs://eu-west-1",
        region=_region(settings),
        key_id=key,
        secret=secret,
        endpoint=settings.sqs_endpoint_url,
    )


def _region(settings: QueuesSettings) -> str | None:
    found = _URL.fullmatch("sqs:" if settings.url is None else settings.url.reveal())
    if found is None:
        raise ConfigError(
            ["QUEUES_URL (its value is not shown): write sqs:// and a region, as sqs://eu-west-1."]
        )
    in_url = (found[1] or "").lower() or None
    said = settings.sqs_region_name
    if in_url is not None and said is not None and in_url != said:
        raise ConfigError([f"QUEUES_URL names the region {in_url}, and SQS_REGION_NAME {said}."])
    return in_url or said
