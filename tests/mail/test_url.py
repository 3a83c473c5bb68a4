"""Reading MAIL_URL."""

from __future__ import annotations

from typing import Any

import pytest

from buttress.config import Secret
from buttress.mail.url import MailUrl, parsed

GOOD: dict[str, dict[str, Any]] = {
    "smtp://mail.example": {"scheme": "smtp", "host": "mail.example", "port": 587},
    "smtps://mail.example": {"scheme": "smtps", "host": "mail.example", "port": 465},
    "smtp://a%40b:p%2Fq%3A@[::1]:25/": {
        "scheme": "smtp",
        "host": "::1",
        "port": 25,
        "user": "a@b",
        "password": Secret("p/q:"),
    },
    "ses://eu-west-1": {"scheme": "ses", "host": "eu-west-1"},
    "ses://": {"scheme": "ses"},
    "folder:": {"scheme": "folder"},
    "folder:///var/my%20mail": {"scheme": "folder", "path": "/var/my mail"},
    "memory:": {"scheme": "memory"},
}
BAD = (
    *("", "mail.example", "flock:", "http://mail.example", "smtp://", "smtp://mail.example/inbox"),
    *("smtp://flock@mail.example", "smtp://:flock@mail.example", "smtp://a..flock"),
    *("smtp://a:flock@mail.example:x", "smtp://a:flock@[mail", "smtp://a:flockä@mail.example"),
    *("smtp://a:flo?ck@mail.example", "smtp://a:flo#ck@mail.example", "smtp://a:flo/ck@b.example"),
    *("ses://eu-west-1/flock", "folder:flock", "folder://flock/mail", "memory:flock"),
)


@pytest.mark.parametrize("url", GOOD)
def test_a_url_is_read(url: str) -> None:
    """The parts are unquoted, and the port is the standard's where none is named."""
    assert parsed(Secret(url)) == MailUrl(**GOOD[url])


@pytest.mark.parametrize("url", BAD)
def test_what_is_no_url_is_refused(url: str) -> None:
    """The error says what to write, and shows nothing of the URL."""
    with pytest.raises(ValueError, match=r"must (be|begin|have)|is no URL") as caught:
        parsed(Secret(url))
    assert "floc" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.3", True), ("[::1]", True), ("10.0.0.1", False)],
)
def test_this_machine_is_known(host: str, expected: bool) -> None:
    """A loopback address needs no encryption."""
    assert parsed(Secret(f"smtp://{host}")).is_loopback is expected
