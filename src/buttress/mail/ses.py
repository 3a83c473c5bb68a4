"""Mail through Amazon SES."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from buttress.aws import NO_CREDENTIALS, Access, AwsClient, AwsError
from buttress.config import Secret
from buttress.errors import MailError
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


class SesClient(AwsClient):
    """A client of SES."""

    def __init__(self, settings: MailSettings, **options: Any) -> None:
        seconds = settings.timeout
        super().__init__(
            _access(settings), connect_timeout=seconds, read_timeout=seconds, **options
        )


class SesBackend(Backend):
    """Hand each mail over in one request, which is not repeated: it might be taken twice."""

    def __init__(self, settings: MailSettings, target: MailUrl, instance: Path) -> None:
        self._client = SesClient(settings, retries={"total_max_attempts": 1})

    def send(self, envelope: Envelope, seconds: float) -> str:
        """Hand it over; SES puts a Message-ID of its own into the mail."""
        if envelope.utf8:
            raise MailError("Amazon SES takes no addresses beyond ASCII (SMTPUTF8).")
        with self._meant():
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
            with self._meant():
                quota = self._client.get().get_send_quota()
        except PermissionError:
            return {"quota": None}
        return {"quota": quota["Max24HourSend"], "sent": quota["SentLast24Hours"]}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @contextmanager
    def _meant(self) -> Iterator[None]:
        """Raise what the contract of a backend wants."""
        try:
            with self._client.failures():
                yield
        except AwsError as error:
            if error.code in REFUSALS:
                raise MailError(f"Amazon SES refuses the mail: {error}") from error
            kind = PermissionError if error.code in NOT_ALLOWED else ConnectionError
            said = error.text if error.code == NO_CREDENTIALS else f"Amazon SES answers {error}"
            raise kind(said) from error


def _access(settings: MailSettings) -> Access:
    target = settings.target
    key_id = settings.ses_access_key_id
    in_url = target.host if target is not None and target.scheme == "ses" else ""
    return Access(
        name="SES",
        url="MAIL_URL=ses://eu-west-1",
        region=settings.ses_region_name or in_url or None,
        key_id=None if key_id is None else Secret(key_id),
        secret=settings.ses_secret_access_key,
        endpoint=settings.ses_endpoint_url,
    )
