"""Mail through Amazon SES."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
)

from buttress.errors import ConfigError, MailError
from buttress.mail.backend import Backend
from buttress.mail.message import Envelope
from buttress.mail.settings import MailSettings
from buttress.mail.url import MailUrl

#: What SES says of a mail that it will not take later either.
REFUSALS = frozenset(
    "MessageRejected MailFromDomainNotVerified MailFromDomainNotVerifiedException "
    "InvalidParameterValue ValidationError".split()
)
#: What it says to one who may send, but not ask; then it does answer.
NOT_ALLOWED = frozenset({"AccessDenied", "AccessDeniedException"})


class SesClient:
    """A client of SES, made when it is first used: finding credentials may need the network.

    Raises `ConfigError` where no region is known.
    """

    def __init__(self, settings: MailSettings, **config: Any) -> None:
        target = settings.target
        said = settings.ses_region_name or (
            target.host if target and target.scheme == "ses" else ""
        )
        self._session = boto3.session.Session(region_name=said or None)
        if self._session.region_name is None:
            raise ConfigError(
                [
                    "Amazon SES needs a region: set SES_REGION_NAME, write it in "
                    "MAIL_URL=ses://eu-west-1, or give AWS_DEFAULT_REGION."
                ]
            )
        self._settings = settings
        self._config = Config(
            connect_timeout=settings.timeout, read_timeout=settings.timeout, **config
        )
        self._made: Any = None
        self._lock = Lock()

    def get(self) -> Any:
        """Give the client, the same one each time; threads may share it."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def close(self) -> None:
        """Close its connections."""
        with self._lock:
            if self._made is not None:
                self._made.close()

    def _make(self) -> Any:
        secret = self._settings.ses_secret_access_key
        return self._session.client(
            "ses",
            endpoint_url=self._settings.ses_endpoint_url,
            aws_access_key_id=self._settings.ses_access_key_id,
            aws_secret_access_key=None if secret is None else secret.reveal(),
            config=self._config,
        )


class SesBackend(Backend):
    """Hand each mail over in one request, which is not repeated: it might be taken twice."""

    def __init__(self, settings: MailSettings, target: MailUrl, instance: Path) -> None:
        self._client = SesClient(settings, retries={"total_max_attempts": 1})

    def send(self, envelope: Envelope, seconds: float) -> str:
        """Hand it over; SES puts a Message-ID of its own into the mail."""
        if envelope.utf8:
            raise MailError("Amazon SES takes no addresses beyond ASCII (SMTPUTF8).")
        with _failures():
            client = self._client.get()
            answer = client.send_raw_email(
                Source=envelope.sender,
                Destinations=list(envelope.recipients),
                RawMessage={"Data": envelope.content},
            )
        region = client.meta.region_name
        host = "email" if region == "us-east-1" else region
        return f"<{answer['MessageId']}@{host}.amazonses.com>"

    def check(self) -> Mapping[str, Any]:
        """Ask how much may be sent; the right to send does not include that, and is enough."""
        try:
            with _failures():
                quota = self._client.get().get_send_quota()
        except PermissionError:
            return {"quota": None}
        return {"quota": quota["Max24HourSend"], "sent": quota["SentLast24Hours"]}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


@contextmanager
def _failures() -> Iterator[None]:
    """Raise what the contract of a backend wants in place of boto3's errors."""
    try:
        yield
    except ClientError as error:
        code, text = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if code in REFUSALS:
            raise MailError(f"Amazon SES refuses the mail: {code}: {text}") from error
        kind = PermissionError if code in NOT_ALLOWED else ConnectionError
        raise kind(f"Amazon SES answers {code}: {text}") from error
    except BotoCoreError as error:
        raise ConnectionError(f"Amazon SES: {error}") from error
