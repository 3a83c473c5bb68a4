"""Services that send mail, and what has arrived of it."""

from __future__ import annotations

import json
import mailbox
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import boto3
import pytest

from buttress.mail import Envelope, Mail
from tests.servers import miss, server_url
from tests.services import Make, services

pytest.register_assert_rewrite("buttress.testing.contracts.mail")

SENDER = "Shop <info@shop.example>"


@pytest.fixture
def make(package: Callable[[Mapping[str, str]], Path]) -> Iterator[Make]:
    """Give a function that makes services; they are closed after the test."""
    with services(package) as make:
        yield make


@pytest.fixture
def domain() -> str:
    """Give a domain of this test alone; it stands in every Message-ID."""
    return f"{token_hex(8)}.example"


class MailServer:
    """The mail server of the tests: how to reach it, and what has arrived."""

    def __init__(self) -> None:
        parts = urlsplit(server_url("smtp"))
        query = parse_qs(parts.query)
        if not {"authority", "mails"} <= query.keys():
            miss("TEST_SMTP_URL does not say ?authority=…&mails=…")
        self.url = parts._replace(query="").geturl()
        self.port = parts.port
        self.password = parts.password
        self.authority = query["authority"][0]
        self._mails = query["mails"][0]

    @property
    def settings(self) -> dict[str, Any]:
        """Give the settings of a service that sends mail there."""
        return {"MAIL_URL": self.url, "MAIL_CA_FILE": self.authority}

    def delivered(self, domain: str) -> list[Envelope]:
        """Give what has arrived with this domain in its Message-ID."""
        box = mailbox.Maildir(self._mails, factory=None, create=False)
        contents = [box.get_bytes(key) for key in box.keys()]  # noqa: SIM118  # a Maildir
        return [_opened(it, "X-MailFrom", "X-RcptTo") for it in contents if _has(it, domain)]


def _has(content: bytes, domain: str) -> bool:
    return f"@{domain}>".encode() in content


def _opened(content: bytes, sender: str, receiver: str) -> Envelope:
    """Read the envelope that stands in headers of its own, and take it off."""
    lines = content.splitlines(keepends=True)
    own = [line for line in lines if line.startswith((sender.encode(), receiver.encode()))]
    said = [line.decode().partition(":")[::2] for line in own]
    to = [it.strip() for name, text in said if name == receiver for it in text.split(",")]
    content = b"".join(line for line in lines if line not in own)
    message_id = message_from_bytes(content)["Message-ID"]
    return Envelope(dict(said)[sender].strip(), tuple(to), message_id, content)


@pytest.fixture
def mail_server() -> MailServer:
    """Give the mail server."""
    return MailServer()


@pytest.fixture(params=["memory", "folder", "smtp", "ses"])
def sent(request: pytest.FixtureRequest, make: Make, domain: str) -> tuple[Mail, Any]:
    """Give a mail of every backend, and a function that gives what has arrived."""
    return request.getfixturevalue(f"by_{request.param}")


@pytest.fixture
def mail(sent: tuple[Mail, Any]) -> Mail:
    """Give the one that sends."""
    return sent[0]


@pytest.fixture
def delivered(sent: tuple[Mail, Any]) -> Callable[[], list[Envelope]]:
    """Give the function that reads what has arrived."""
    return sent[1]


@pytest.fixture
def by_memory(make: Make, domain: str) -> tuple[Mail, Any]:
    """Send mail that stays in memory."""
    mail = make(extensions=["mail"], MAIL_SENDER=SENDER, MAIL_DOMAIN=domain).mail
    return mail, lambda: list(mail.outbox)


@pytest.fixture
def by_folder(make: Make, tmp_path: Path) -> tuple[Mail, Any]:
    """Send mail into a folder."""
    folder = tmp_path / "out box"
    url = f"folder://{str(folder).replace(' ', '%20')}"
    mail = make(extensions=["mail"], MAIL_SENDER=SENDER, MAIL_URL=url).mail
    return mail, lambda: [
        _opened(file.read_bytes(), "X-Sender", "X-Receiver") for file in folder.glob("*.eml")
    ]


@pytest.fixture
def by_smtp(make: Make, domain: str, mail_server: MailServer) -> tuple[Mail, Any]:
    """Send mail by the mail server."""
    settings = {"MAIL_SENDER": SENDER, "MAIL_DOMAIN": domain, **mail_server.settings}
    return make(extensions=["mail"], **settings).mail, lambda: mail_server.delivered(domain)


@pytest.fixture
def ses() -> dict[str, str]:
    """Give the settings of a service that sends mail by moto."""
    return {
        "MAIL_URL": "ses://eu-west-1",
        "SES_ACCESS_KEY_ID": "AKIATEST",
        "SES_SECRET_ACCESS_KEY": "any",
        "SES_ENDPOINT_URL": server_url("moto"),
    }


@pytest.fixture(scope="session")
def verified() -> None:
    """Have moto take mail from the sender of the tests."""
    keys = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "any"}
    client = boto3.session.Session(region_name="eu-west-1", **keys).client(
        "ses", endpoint_url=server_url("moto")
    )
    with closing(client):
        client.verify_email_identity(EmailAddress="info@shop.example")


@pytest.fixture
def by_ses(verified: None, make: Make, domain: str, ses: dict[str, str]) -> tuple[Mail, Any]:
    """Send mail by moto's SES."""
    mail = make(extensions=["mail"], MAIL_SENDER=SENDER, MAIL_DOMAIN=domain, **ses).mail
    return mail, lambda: _by_moto(ses["SES_ENDPOINT_URL"], domain)


def _by_moto(url: str, domain: str) -> list[Envelope]:
    with urlopen(f"{url}/moto-api/data.json") as answer:
        raw = json.load(answer)["ses"]["RawMessage"]
    return [_taken(it) for it in raw if _has(it["raw_data"].encode(), domain)]


def _taken(raw: dict[str, Any]) -> Envelope:
    """Read what moto keeps; it adds the recipients in the headers to those that it was told."""
    content = raw["raw_data"].encode()
    message: Message = message_from_bytes(content)
    recipients = tuple(dict.fromkeys(it for it in raw["destinations"] if "<" not in it))
    return Envelope(raw["source"], recipients, message["Message-ID"], content)
