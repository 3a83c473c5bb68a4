"""A client of Amazon SQS: its settings, and what its errors mean here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
from botocore import exceptions
from botocore.config import Config

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


class SqsClient:
    """A client of SQS, made when it is first used, once in each process.

    Raises `ConfigError` where no region is known, and for keys that do not fit together.
    """

    def __init__(self, settings: QueuesSettings) -> None:
        self._settings = settings
        self.session = _session(settings)
        self._config = Config(
            connect_timeout=settings.connect_timeout,
            read_timeout=ANSWER,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=CONNECTIONS,
            tcp_keepalive=True,
        )
        self._pid = os.getpid()
        self._lock = Lock()
        self._made: Any = None

    @property
    def region(self) -> str:
        """Give the region."""
        return str(self.session.region_name)

    def get(self) -> Any:
        """Give boto3's client, the same one each time; threads may share it, a fork may not."""
        if self._pid != os.getpid():
            self._pid, self._lock, self._made = os.getpid(), Lock(), None
        with self._lock:
            if self._made is None:
                with failures("to be reached"):
                    self._made = self._make()
            return self._made

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Call an operation, such as ``send_message``.

        Raises `Unavailable` while SQS is down, `SqsRefused` for what is not allowed,
        `MissingAtSqs` for a queue that is not there, and `MessageError` for the rest.
        """
        with failures(operation):
            answer: dict[str, Any] = getattr(self.get(), operation)(**arguments)
        return answer

    def pages(self, operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """Call an operation until all of its answer is there. Raises what `call` raises."""
        with failures(operation):
            yield from self.get().get_paginator(operation).paginate(**arguments)

    def close(self) -> None:
        """Close the connections; a later use opens others."""
        with self._lock:
            made, self._made = self._made, None
        if made is not None and self._pid == os.getpid():
            made.close()

    def _make(self) -> Any:
        key, secret = self._settings.sqs_access_key_id, self._settings.sqs_secret_access_key
        try:
            return self.session.client(
                "sqs",
                endpoint_url=self._settings.sqs_endpoint_url,
                aws_access_key_id=None if key is None else key.reveal(),
                aws_secret_access_key=None if secret is None else secret.reveal(),
                config=self._config,
            )
        except ValueError as error:
            raise ConfigError([f"SQS_ENDPOINT_URL: {error}."]) from error


@contextmanager
def failures(what: str) -> Iterator[None]:
    """Raise what the contract of a broker wants in place of boto3's errors."""
    try:
        yield
    except exceptions.ClientError as error:
        raise _meaning(what, error) from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise SqsRefused(
            "NoCredentials",
            f"Amazon SQS needs credentials: set SQS_ACCESS_KEY_ID and SQS_SECRET_ACCESS_KEY, or "
            f"give them where boto3 looks for them ({error}).",
        ) from error
    except exceptions.ParamValidationError as error:
        raise MessageError(f"Amazon SQS does not take this: {error}") from error
    except exceptions.BotoCoreError as error:
        raise Unavailable("The message queue does not answer.") from error


def _meaning(what: str, error: Any) -> Exception:
    code = str(error.response["Error"].get("Code", ""))
    text = error.response["Error"].get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    if code in MISSING:
        return MissingAtSqs(text)
    if code in PURGING:
        return Unavailable("The queue is purged already; once a minute is allowed.", retry_after=60)
    if code in PASSING or status >= 500 or status == 429:
        return Unavailable("The message queue does not take requests now.")
    if status in (401, 403) or "Denied" in code or code in _REFUSALS:
        said = f"Amazon SQS refuses {what}: {code}: {text}"
        return SqsRefused(code, f"{said}. Give these credentials the right to sqs:{_camel(what)}.")
    return MessageError(f"Amazon SQS refuses {what}: {code}: {text}")


_REFUSALS = frozenset(
    "InvalidClientTokenId SignatureDoesNotMatch UnrecognizedClientException "
    "IncompleteSignature MissingAuthenticationToken InvalidSecurity OptInRequired".split()
)


def _camel(operation: str) -> str:
    return operation.replace("_batch", "").title().replace("_", "")


def _session(settings: QueuesSettings) -> Any:
    region = _region(settings)
    if (settings.sqs_access_key_id is None) != (settings.sqs_secret_access_key is None):
        raise ConfigError(["Set both of SQS_ACCESS_KEY_ID and SQS_SECRET_ACCESS_KEY, or neither."])
    try:
        session = boto3.session.Session(region_name=region)
    except exceptions.BotoCoreError as error:
        raise ConfigError([f"boto3 cannot be set up for Amazon SQS: {error}."]) from error
    if session.region_name is None:
        raise ConfigError(
            [
                "Amazon SQS needs a region: set SQS_REGION_NAME, write it in "
                "QUEUES_URL=sqs://eu-west-1, or give AWS_DEFAULT_REGION."
            ]
        )
    return session


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
