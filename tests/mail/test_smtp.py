"""Mail through a mail server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from buttress import Unavailable, Unhealthy
from buttress.errors import ConfigError, MailError
from buttress.mail import Mail
from tests.mail.conftest import SENDER, MailServer
from tests.services import Make
from tools.services.maildrop import AUTHORITY, MAILS, Maildrop, certified, controller
from tools.services.place import free_port

Serve = Callable[..., str]
LETTER: dict[str, Any] = {"to": "ann@a.example", "subject": "Hello", "text": "x"}


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Give a function that starts a mail server with aiosmtpd's options, and gives its address.

    It takes mail from everybody, in the clear, unless the options say otherwise.
    """
    with ExitStack() as stack:

        def serve(handler: Any = None, password: str | None = None, **options: Any) -> str:
            options = {"hostname": "127.0.0.1", "port": free_port(), **options}
            maildrop = handler or Maildrop(tmp_path / MAILS)
            if password is not None:
                server = controller(maildrop, password, **options)
            else:
                server = Controller(maildrop, **options)
            server.start()
            stack.callback(server.stop)
            return f"127.0.0.1:{options['port']}"

        yield serve


def mail_to(make: Make, url: str, **settings: Any) -> Mail:
    """Make a service that sends mail there."""
    config = {"MAIL_SENDER": SENDER, "MAIL_TIMEOUT": 5.0, **settings, "MAIL_URL": url}
    return make(extensions=["mail"], **config).mail


def kept(folder: Path) -> list[bytes]:
    """Read the mails that a server of `serve` keeps."""
    return [file.read_bytes() for file in (folder / MAILS / "new").iterdir()]


def test_refused_recipients_are_named(by_smtp: tuple[Mail, Any]) -> None:
    """The error has the server's code and text for each, and nobody gets the mail."""
    mail, delivered = by_smtp
    to = ["ann@a.example", "nobody@b.example", "later@c.example"]
    with pytest.raises(MailError, match="nobody@b.example: 550") as caught:
        mail.send(to=to, subject="Hello", text="x")
    assert caught.value.refused == {
        "nobody@b.example": (550, "5.1.1 There is no such mailbox"),
        "later@c.example": (451, "4.7.1 Try again later"),
    }
    assert delivered() == []


def test_a_server_that_is_busy_is_unavailable(by_smtp: tuple[Mail, Any]) -> None:
    """A refusal for the moment can be tried again, so it is 503."""
    mail, delivered = by_smtp
    with pytest.raises(Unavailable) as caught:
        mail.send(to=["ann@a.example", "later@c.example"], subject="Hello", text="x")
    assert "451 4.7.1 Try again later" in str(caught.value.__cause__)
    assert delivered() == []


def test_an_address_beyond_ascii_arrives(by_smtp: tuple[Mail, Any]) -> None:
    """A server that offers SMTPUTF8 takes a local part in any script."""
    mail, delivered = by_smtp
    mail.send(to="Jörg <jörg@bücher.example>", subject="Hello", text="x")
    (envelope,) = delivered()
    assert "To: =?utf-8?b?SsO2cmc=?= <jörg@xn--bcher-kva.example>".encode() in envelope.content


def test_an_address_beyond_ascii_needs_a_server_for_it(make: Make, serve: Serve) -> None:
    """Without SMTPUTF8 nothing is sent."""
    with pytest.raises(MailError, match="SMTPUTF8"):
        mail_to(make, f"smtp://{serve(enable_SMTPUTF8=False)}").send(
            **LETTER | {"to": "jörg@a.example"}
        )


def test_a_wrong_password_is_told_to_the_heartbeat(make: Make, mail_server: MailServer) -> None:
    """Sending is 503, the check says why, and neither shows the password."""
    url = f"smtp://buttress:not-this-one@127.0.0.1:{mail_server.port}"
    mail = mail_to(make, url, MAIL_CA_FILE=mail_server.authority)
    with pytest.raises(Unavailable) as sending:
        mail.send(**LETTER)
    with pytest.raises(Unhealthy, match="535 5.7.8 Authentication credentials") as checking:
        mail.check()
    assert "not-this-one" not in f"{sending.value!r}{sending.value.__cause__}{checking.value}"


def test_an_untrusted_server_gets_nothing(make: Make, mail_server: MailServer) -> None:
    """The certificate is verified, so a server of an unknown authority learns no password."""
    with pytest.raises(Unhealthy, match="CERTIFICATE_VERIFY_FAILED"):
        mail_to(make, mail_server.url).check()


def test_a_file_without_certificates_stops_the_boot(make: Make) -> None:
    """The error names the setting and the file."""
    with pytest.raises(ConfigError, match=r"MAIL_CA_FILE: .*test_smtp.py: .*no certificate"):
        mail_to(make, "smtp://mail.example", MAIL_CA_FILE=__file__)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_tls_from_the_first_byte(make: Make, serve: Serve, tmp_path: Path) -> None:
    """``smtps://`` encrypts, verifies and logs in."""
    context = certified(tmp_path / AUTHORITY, "127.0.0.1")
    server = serve(password="flock", ssl_context=context, auth_require_tls=False)
    settings = {"MAIL_CA_FILE": str(tmp_path / AUTHORITY)}
    mail_to(make, f"smtps://buttress:flock@{server}", **settings).send(**LETTER)
    assert len(kept(tmp_path)) == 1
    with pytest.raises(Unhealthy, match="CERTIFICATE_VERIFY_FAILED"):
        mail_to(make, f"smtps://buttress:flock@{server}").check()


def test_a_server_on_this_machine_may_be_plain(make: Make, serve: Serve, tmp_path: Path) -> None:
    """Where a loopback server offers no STARTTLS, mail goes there in the clear."""
    mail = mail_to(make, f"smtp://{serve()}")
    assert mail.check()["backend"] == "smtp"
    mail.send(**LETTER)
    assert message_from_bytes(*kept(tmp_path))["Subject"] == "Hello"


def test_encryption_is_not_given_up(make: Make, serve: Serve, tmp_path: Path) -> None:
    """Where it is wanted, a server that does not offer STARTTLS gets nothing."""
    mail = mail_to(make, f"smtp://{serve()}", MAIL_STARTTLS="always")
    with pytest.raises(Unavailable):
        mail.send(**LETTER)
    with pytest.raises(Unhealthy, match="offers no STARTTLS"):
        mail.check()
    assert kept(tmp_path) == []


def test_a_password_is_not_sent_in_the_clear(make: Make) -> None:
    """A remote server and no encryption do not go together with a password."""
    with pytest.raises(ConfigError, match="in the clear"):
        mail_to(make, "smtp://a:flock-of-sheep@mail.example", MAIL_STARTTLS="never")


def test_a_mail_that_is_too_large_is_refused(make: Make, serve: Serve, tmp_path: Path) -> None:
    """What the server announces is believed, and nothing is sent."""
    mail = mail_to(make, f"smtp://{serve(data_size_limit=2000)}")
    with pytest.raises(MailError, match="the server takes 2000 at most"):
        mail.send(**LETTER | {"text": "x" * 2000})
    mail.send(**LETTER)
    assert len(kept(tmp_path)) == 1


class Moody(Maildrop):
    """Refuses what it got, or to say goodbye."""

    data = "554 5.6.0 I do not like it"

    async def handle_DATA(self, *arguments: Any) -> str:
        """Answer as it likes."""
        return self.data

    async def handle_QUIT(self, *arguments: Any) -> str:
        """Answer what nobody expects."""
        return "500 No"


def test_a_refused_mail_is_an_error(make: Make, serve: Serve, tmp_path: Path) -> None:
    """What the server says of the whole mail is in the error."""
    mail = mail_to(make, f"smtp://{serve(Moody(tmp_path / MAILS))}")
    with pytest.raises(MailError, match="refuses the mail: 554 5.6.0 I do not like it"):
        mail.send(**LETTER)


def test_a_mail_that_is_taken_is_sent(
    make: Make, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that fails after it took the mail does not make it be sent again."""
    monkeypatch.setattr(Moody, "data", "250 OK")
    mail = mail_to(make, f"smtp://{serve(Moody(tmp_path / MAILS))}")
    assert mail.send(**LETTER).startswith("<")


class Stern(Maildrop):
    """Take nothing from those who have not logged in."""

    async def handle_MAIL(self, *arguments: Any) -> str:
        """Send them away."""
        return "530 5.7.0 Authentication required"


def test_a_server_that_wants_a_login_is_unavailable(
    make: Make, serve: Serve, tmp_path: Path
) -> None:
    """It refuses the service and not the mail, so the mail may be sent once that is mended."""
    mail = mail_to(make, f"smtp://{serve(Stern(tmp_path / MAILS))}")
    with pytest.raises(Unavailable) as caught:
        mail.send(**LETTER)
    assert "530 5.7.0 Authentication required" in str(caught.value.__cause__)


def test_a_server_that_is_down_is_unavailable(make: Make) -> None:
    """Nothing listens there: sending is 503, and the check says so."""
    mail = mail_to(make, f"smtp://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable):
        mail.send(**LETTER)
    with pytest.raises(Unhealthy, match="Connection refused"):
        mail.check()


def test_a_silent_server_costs_the_timeout_at_most(make: Make) -> None:
    """A server that takes the connection and says nothing is given up."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        mail = mail_to(make, f"smtp://127.0.0.1:{silent.getsockname()[1]}", MAIL_TIMEOUT=0.2)
        with pytest.raises(Unavailable) as caught:
            mail.send(**LETTER)
    assert "timed out" in str(caught.value.__cause__)


def test_a_server_that_never_ends_costs_the_timeout_at_most(make: Make) -> None:
    """However often it sends a little, it is given up when the time for the mail is over."""
    with closing(socket.create_server(("127.0.0.1", 0))) as tarpit:
        mail = mail_to(make, f"smtp://127.0.0.1:{tarpit.getsockname()[1]}", MAIL_TIMEOUT=0.3)

        def stutter() -> None:
            taken = tarpit.accept()[0]
            with closing(taken), suppress(OSError):
                for _ in range(100):
                    taken.sendall(b"220-Good morning\r\n")
                    time.sleep(0.05)

        server = threading.Thread(target=stutter)
        server.start()
        began = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            mail.send(**LETTER)
        assert time.monotonic() - began < 2
        server.join()
    assert "timed out" in str(caught.value.__cause__)
