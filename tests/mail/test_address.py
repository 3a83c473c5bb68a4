"""Reading the addresses of mailboxes."""

from __future__ import annotations

from email.headerregistry import Address

import pytest

from buttress.errors import MailError
from buttress.mail import Mailbox
from buttress.mail.address import mailbox, mailboxes

GOOD = {
    "ann@a.example": ("", "ann@a.example"),
    "  ann@a.example ": ("", "ann@a.example"),
    "Ann <ann@a.example>": ("Ann", "ann@a.example"),
    "Ann Lee<ann@a.example>": ("Ann Lee", "ann@a.example"),
    '"Lee, Ann \\"A\\"" <ann@a.example>': ('Lee, Ann "A"', "ann@a.example"),
    "<ann@a.example>": ("", "ann@a.example"),
    "a.b+c=d/e!#$%&'*?^_`{|}~-@a.example": ("", "a.b+c=d/e!#$%&'*?^_`{|}~-@a.example"),
    "jörg@a.example": ("", "jörg@a.example"),
    "ann@bücher.example": ("", "ann@xn--bcher-kva.example"),
    "root@localhost": ("", "root@localhost"),
}
BAD = (
    *("", "@", "ann", "ann@", "@a.example", "ann@a..example", "ann@.example", "ann@-a.example"),
    *("ann@a_b.example", "ann@a.example.", ".ann@a.example", "ann.@a.example", "a..b@a.example"),
    *("ann lee@a.example", "ann@a@b.example", "ann@[127.0.0.1]", f"{'a' * 65}@a.example"),
    *(f"ann@{'a' * 64}.example", "ann@a.example>", "<ann@a.example", "ann@a.example <x>"),
    *("bob@b.example, Ann <ann@a.example>", "Ann <ann@a.example>, Bob <bob@b.example>"),
    *("bob@b.example <ann@a.example>", "ann@a.example;bob@b.example", "ann@a.example\u2028"),
    *("ann@a.example\n", "\rann@a.example", "a\0@a.example", "ann@a.example\r\nBcc: eve@e.example"),
    *(
        "Ann\nX: y <ann@a.example>",
        "\ud800@a.example",
        "ann@straße.example",
        7,
        None,
        b"a@a.example",
    ),
)


@pytest.mark.parametrize("written", GOOD)
def test_an_address_is_read(written: str) -> None:
    """A name and an address, the domain in ASCII."""
    assert mailbox(written, "to") == Mailbox(*GOOD[written])


@pytest.mark.parametrize("written", BAD, ids=ascii)
def test_what_is_no_address_is_refused(written: object) -> None:
    """Neither nothing, nor two, nor a newline, nor a domain with two meanings is an address."""
    with pytest.raises(MailError, match="^to"):
        mailbox(written, "to")  # type: ignore[arg-type]  # the wrong type is under test


def test_one_or_several() -> None:
    """A text is one mailbox, as is Python's own object; a list has several."""
    ann = Address("Ann", "ann", "a.example")
    assert mailboxes(None, "cc") == ()
    assert mailboxes(ann, "cc") == (Mailbox("Ann", "ann@a.example"),)
    assert mailboxes([ann, "bob@b.example"], "cc") == (
        Mailbox("Ann", "ann@a.example"),
        Mailbox("", "bob@b.example"),
    )


def test_the_error_says_what_to_write() -> None:
    """It names the argument and shows both forms."""
    with pytest.raises(
        MailError, match="reply_to='ann' is no address: write 'ann@shop.example' or"
    ):
        mailboxes("ann", "reply_to")
