"""The private servers for the tests."""

from __future__ import annotations

import os
import re
import smtplib
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from tests.auth.ldap.directory import directory_at
from tools.services import oidc, slapd
from tools.services.__main__ import SERVERS
from tools.services.firebird import GREETING
from tools.services.place import says

Answers = dict[str, str]


def environment() -> dict[str, str]:
    """Copy the environment without the URLs of servers that run, which would win."""
    given = {server.variable for server in SERVERS}
    return {name: value for name, value in os.environ.items() if name not in given}


def services(*arguments: str, folder: Path, **environ: str) -> tuple[int, Answers, str]:
    """Run the command; give its exit code, the URLs that it printed, and its complaints."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.services", *arguments],
        env={**environment(), "SERVICES_FOLDER": str(folder), **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    urls = dict(re.findall(r"export (\w+)='(.+)'", done.stdout))
    return done.returncode, urls, done.stderr


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that the user of a server may enter, and stop what was started in it."""
    with TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        folder = Path(made) / "services"
        yield folder
        assert services("down", folder=folder)[0] == 0
        assert not folder.exists()


def port_of(url: str) -> int:
    """Give the port of a URL."""
    return int(url.rpartition(":")[2].partition("/")[0])


@pytest.mark.timeout(300)  # it may have to be installed
def test_a_server_starts_once_and_leaves_nothing(folder: Path) -> None:
    """It answers at the printed address and with the printed password, until it is stopped."""
    code, urls, complaints = services("up", "redis", folder=folder)
    if code != 0 and os.environ.get("CI") != "true":
        pytest.skip(f"no Redis is to be had: {complaints}")
    assert code == 0, complaints
    assert services("up", "redis", folder=folder)[:2] == (0, urls)
    assert services("status", folder=folder)[:2] == (0, urls)
    url = urls["TEST_REDIS_URL"]
    password = url.partition("default:")[2].partition("@")[0]
    assert says(port_of(url), f"AUTH {password}\r\nPING\r\n".encode(), b"+PONG")
    assert says(port_of(url), b"PING\r\n", b"-NOAUTH")
    assert services("down", "redis", folder=folder)[0] == 0
    assert not says(port_of(url), b"PING\r\n", b"")
    assert services("status", folder=folder)[:2] == (0, {})


@pytest.mark.timeout(300)  # it may have to be installed
@pytest.mark.parametrize(
    ("name", "variable", "question", "answer"),
    [
        ("memcached", "TEST_MEMCACHED_URL", b"version\r\n", b"VERSION"),
        ("moto", "TEST_AWS_URL", b"GET /moto-api/data.json HTTP/1.0\r\n\r\n", b"200 OK"),
        ("smtp", "TEST_SMTP_URL", b"", b"220 "),
        ("firebird", "TEST_FIREBIRD_URL", GREETING, b"\x00\x00\x00"),
        ("slapd", "TEST_LDAP_URL", slapd.GREETING, slapd.WELCOME),
        ("oidc", "TEST_OIDC_URL", oidc.QUESTION, b'"keys"'),
    ],
    ids=["memcached", "moto", "smtp", "firebird", "slapd", "oidc"],
)
def test_other_servers_do_too(
    folder: Path, name: str, variable: str, question: bytes, answer: bytes
) -> None:
    """Each answers as its kind does at the printed address, until it is stopped."""
    code, urls, complaints = services("up", name, folder=folder)
    if code != 0 and os.environ.get("CI") != "true":
        pytest.skip(f"no {name} is to be had: {complaints}")
    assert code == 0, complaints
    port = urlsplit(urls[variable]).port or 0
    assert says(port, question, answer)
    assert services("down", name, folder=folder)[0] == 0
    assert not says(port, question, b"")


def test_the_mail_server_wants_a_login(folder: Path) -> None:
    """It takes mail encrypted and with the printed password only, and keeps it as a file."""
    url = urlsplit(services("up", "smtp", folder=folder)[1]["TEST_SMTP_URL"])
    rest = parse_qs(url.query)
    with smtplib.SMTP(str(url.hostname), url.port or 0) as client:
        client.ehlo()
        assert client.docmd("MAIL FROM:<a@a.example>")[0] == 530
        client.starttls(context=ssl.create_default_context(cafile=rest["authority"][0]))
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("buttress", "another")
        client.login(str(url.username), str(url.password))
        client.sendmail("a@a.example", ["b@b.example"], b"Subject: x\r\n\r\n")
    (mail,) = Path(rest["mails"][0], "new").iterdir()
    assert mail.read_text() == "X-MailFrom: a@a.example\nX-RcptTo: b@b.example\nSubject: x\n\n"


def test_firebird_has_users_of_its_own(folder: Path) -> None:
    """The printed password opens the database through SQLAlchemy, and another does not."""
    code, urls, complaints = services("up", "firebird", folder=folder)
    if code != 0 and os.environ.get("CI") != "true":
        pytest.skip(f"no Firebird is to be had: {complaints}")
    url = sa.make_url(urls["TEST_FIREBIRD_URL"])
    for password, opens in ((url.password, True), ("masterkey", False)):
        engine = sa.create_engine(url.set(password=password), poolclass=sa.NullPool)
        with nullcontext() if opens else pytest.raises(sa.exc.DatabaseError, match="password"):
            assert sa.inspect(engine).get_table_names() == []


def test_the_directory_is_empty_and_encrypts(folder: Path) -> None:
    """The printed administrator may change it, over both ways of TLS that the authority signed."""
    code, urls, complaints = services("up", "slapd", folder=folder)
    if code != 0 and os.environ.get("CI") != "true":
        pytest.skip(f"no slapd is to be had: {complaints}")
    with directory_at(urls["TEST_LDAP_URL"]) as directory:
        directory.person("ann", "Piste 7 is open")
        for scheme in ("ldap", "ldaps"):
            with directory.users(scheme, starttls="always") as users:
                assert users.authenticate("ann", "Piste 7 is open") is not None
                assert users.authenticate("ann", "another") is None


def test_a_given_url_wins(folder: Path) -> None:
    """Nothing is started for a server whose URL the environment has."""
    given = {"TEST_REDIS_URL": "redis://elsewhere.test/0"}
    assert services("up", "redis", folder=folder, **given) == (0, given, "")
    assert not folder.exists()


def test_an_unknown_server_is_a_mistake(folder: Path) -> None:
    """The message names those that there are."""
    code, _, complaints = services("up", "oracle", folder=folder)
    assert code == 2
    assert "there is no oracle: choose from postgres, mariadb, redis, rabbitmq" in complaints
