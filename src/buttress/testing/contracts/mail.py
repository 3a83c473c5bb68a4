"""What every backend of mail does.

A test module imports all of this and offers two fixtures: ``mail``, a `Mail` whose MAIL_SENDER is
``Shop <info@shop.example>``, and ``delivered``, a function that gives what has arrived since the
test began, as envelopes in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any

import pytest

from buttress.errors import MailError
from buttress.mail import Attachment, Envelope, Mail

Delivered = Callable[[], list[Envelope]]

BAD: dict[str, dict[str, Any]] = {
    "no recipient": {"to": []},
    "no content": {"text": None},
    "no address": {"to": "ann"},
    "several addresses in one text": {"to": "ann@a.example, bob@b.example"},
    "an address with a newline": {"to": "ann@a.example\n"},
    "an injected recipient": {"to": "ann@a.example\r\nBcc: eve@e.example"},
    "an injected header in a name": {"to": "Ann\nBcc: eve@e.example <ann@a.example>"},
    "an injected header in the subject": {"subject": "Hello\r\nBcc: eve@e.example"},
    "an injected header in the sender": {"sender": "info@shop.example\nX: y"},
    "an injected header": {"headers": {"X-Shop": "a\nBcc: eve@e.example"}},
    "a header with a bad name": {"headers": {"X: y\nZ": "a"}},
    "a header that is ours": {"headers": {"bcc": "eve@e.example"}},
    "a file that is not there": {"attachments": ["/no/such/file"]},
    "a file that is none": {"attachments": [5]},
    "a file name with a newline": {"attachments": [("a\nb", b"")]},
    "a file name with a path": {"attachments": [("../a", b"")]},
    "a file name that is too long": {"attachments": [("é" * 128, b"")]},
    "a path that is none": {"attachments": ["a\0b"]},
    "a type with a newline": {"attachments": [("a", b"", 'a/b; c="\r\nBcc: eve@e.example"')]},
    "a type beyond ASCII": {"attachments": [("a", b"", 'a/b; c="é"')]},
    "a type that is too long": {"attachments": [("a", b"", f'a/b; c="{"x" * 1000}"')]},
    "a type that is none": {"attachments": [("a", b"", "text")]},
}


def only(delivered: Iterable[Envelope]) -> tuple[Envelope, EmailMessage]:
    """Give the one mail that arrived, and its message read back."""
    (envelope,) = delivered
    return envelope, envelope.message


def text_of(part: Any) -> str:
    """Give the text of a part, with the newlines that Python has."""
    return str(part.get_content()).replace("\r\n", "\n")


def names(field: str) -> list[tuple[str, str]]:
    """Read a field of addresses as a mail reader does: names decoded, without the newlines."""
    pairs = getaddresses(["".join(field.splitlines())])
    return [(str(make_header(decode_header(name))), address) for name, address in pairs]


def test_a_text_arrives(mail: Mail, delivered: Delivered) -> None:
    """The text, the subject, the sender and a current date arrive, as one plain part."""
    mail.send(to="Ann <ann@a.example>", subject="Hello", text="Piste 7 is open.\n")
    envelope, message = only(delivered())
    assert (envelope.sender, envelope.recipients) == ("info@shop.example", ("ann@a.example",))
    assert message["From"] == "Shop <info@shop.example>"
    assert (message["To"], message["Subject"]) == ("Ann <ann@a.example>", "Hello")
    assert (message.get_content_type(), text_of(message)) == (
        "text/plain",
        "Piste 7 is open.\n",
    )
    assert parsedate_to_datetime(message["Date"]).tzinfo is not None


def test_every_mail_has_an_id(mail: Mail) -> None:
    """Two equal mails have two ids, of the form of a Message-ID."""
    first, second = (mail.send(to="ann@a.example", subject="", text="") for _ in range(2))
    assert first != second
    for given in (first, second):
        assert given.startswith("<")
        assert given.endswith(">")
        assert "@" in given


def test_blind_copies_are_in_no_header(mail: Mail, delivered: Delivered) -> None:
    """All get the mail, each once, and nobody reads who got a blind copy."""
    mail.send(
        to=["ann@a.example", "bob@b.example"],
        cc="cleo@c.example",
        bcc=["dan@d.example", "ann@a.example"],
        reply_to="desk@shop.example",
        subject="Hello",
        text="x",
    )
    envelope, message = only(delivered())
    assert sorted(envelope.recipients) == [
        *("ann@a.example", "bob@b.example", "cleo@c.example", "dan@d.example")
    ]
    assert (message["Cc"], message["Reply-To"]) == ("cleo@c.example", "desk@shop.example")
    assert message["Bcc"] is None
    assert b"dan@d.example" not in envelope.content


def test_text_and_html_are_alternatives(mail: Mail, delivered: Delivered) -> None:
    """A reader chooses between the two; HTML alone is one part."""
    mail.send(to="ann@a.example", subject="Both", text="Grüße", html="<p>Grüße</p>")
    _, message = only(delivered())
    assert message.get_content_type() == "multipart/alternative"
    parts = [(part.get_content_type(), text_of(part)) for part in message.iter_parts()]
    assert parts == [("text/plain", "Grüße\n"), ("text/html", "<p>Grüße</p>\n")]


def test_html_alone_is_one_part(mail: Mail, delivered: Delivered) -> None:
    """A mail with HTML only has no empty text beside it."""
    mail.send(to="ann@a.example", subject="HTML", html="<p>x</p>")
    assert only(delivered())[1].get_content_type() == "text/html"


def test_attachments_arrive(mail: Mail, delivered: Delivered) -> None:
    """A file arrives byte by byte, with its name and type."""
    every = bytes(range(256)) * 300
    given: list[Any] = [
        ("all.bin", every),
        ("prices.csv", b"a;b\n", "text/csv; charset=utf-8"),
        Attachment('Übersicht "7".pdf', b"%PDF"),
        ("forwarded.eml", b"Subject: x\r\n\r\n.\r\n"),
    ]
    mail.send(to="ann@a.example", subject="Files", text="See.", attachments=given)
    _, message = only(delivered())
    assert message.get_content_type() == "multipart/mixed"
    files = list(message.iter_attachments())
    assert [(it.get_filename(), it.get_content_type()) for it in files] == [
        ("all.bin", "application/octet-stream"),
        ("prices.csv", "text/csv"),
        ('Übersicht "7".pdf', "application/pdf"),
        ("forwarded.eml", "application/octet-stream"),
    ]
    contents = [it.get_payload(decode=True) for it in files]
    assert contents == [every, b"a;b\n", b"%PDF", b"Subject: x\r\n\r\n.\r\n"]


def test_a_long_file_name_arrives(mail: Mail, delivered: Delivered) -> None:
    """What a file system takes as a name is no line too long for a server."""
    given = ["é" * 125 + ".pdf", "a" * 251 + ".pdf"]
    files = [(name, b"%PDF") for name in given]
    mail.send(to="ann@a.example", subject="Files", text="x", attachments=files)
    _, message = only(delivered())
    assert [it.get_filename() for it in message.iter_attachments()] == given


def test_lines_arrive_as_they_are(mail: Mail, delivered: Delivered) -> None:
    """A lone dot, a line that begins with From, a long line and odd letters all arrive."""
    text = ".\n..\nFrom here\n" + "é" * 2000 + "\n" + "x" * 5000 + "\n\N{GRINNING FACE}\0\n"
    mail.send(to="ann@a.example", subject="Lines", text=text)
    assert text_of(only(delivered())[1]) == text


def test_names_beyond_ascii_arrive(mail: Mail, delivered: Delivered) -> None:
    """A name or a subject in any script arrives, with quotes and commas."""
    people = [
        ('"Doe, Jöhn" ' * 9, "john@a.example"),
        ("渡辺 直美", "naomi@b.example"),
        ('O"Neill, Ann', "ann@c.example"),
    ]
    written = ['"' + n.strip().replace('"', '\\"') + f'" <{a}>' for n, a in people]
    mail.send(to=written, subject="Grüße, 直美 " * 9, text="x")
    envelope, message = only(delivered())
    assert message["Subject"] == ("Grüße, 直美 " * 9)
    field = message_from_bytes(envelope.content)["To"]
    assert names(field) == [(name.strip(), address) for name, address in people]
    assert envelope.recipients == tuple(address for _, address in people)


def test_a_domain_beyond_ascii_is_sent_in_ascii(mail: Mail, delivered: Delivered) -> None:
    """The server is told the domain in its ASCII form."""
    mail.send(to="ann@bücher.example", subject="IDN", text="x")
    assert only(delivered())[0].recipients == ("ann@xn--bcher-kva.example",)


def test_own_headers_arrive(mail: Mail, delivered: Delivered) -> None:
    """A header of the caller's arrives as it was given, however long."""
    link = "<https://shop.example/" + "u" * 200 + ">, <mailto:leave@shop.example>"
    mail.send(to="ann@a.example", subject="News", text="x", headers={"List-Unsubscribe": link})
    field = message_from_bytes(only(delivered())[0].content)["List-Unsubscribe"]
    assert "".join(field.splitlines()) == link


@pytest.mark.parametrize("wrong", BAD.values(), ids=BAD)
def test_a_bad_mail_is_refused(mail: Mail, delivered: Delivered, wrong: dict[str, Any]) -> None:
    """What cannot be sent as it is raises before anything is sent."""
    good = {"to": "ann@a.example", "subject": "Hello", "text": "x"}
    with pytest.raises(MailError):
        mail.send(**{**good, **wrong})
    assert delivered() == []


def test_many_threads_send_at_once(mail: Mail, delivered: Delivered) -> None:
    """Every mail of many threads arrives, once."""

    def send(number: int) -> str:
        return mail.send(to="ann@a.example", subject=str(number), text="x")

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(send, range(24)))
    subjects = [message_from_bytes(it.content)["Subject"] for it in delivered()]
    assert sorted(map(int, subjects)) == list(range(24))
    assert len(set(ids)) == 24


def test_the_check_succeeds(mail: Mail) -> None:
    """A backend that works says which it is."""
    assert mail.check()["backend"] == mail.scheme
