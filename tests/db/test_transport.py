"""How connections are encrypted, and when silence is their end."""

from __future__ import annotations

import os
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from buttress import ConfigError, Service
from buttress.db import DbSettings
from buttress.db.transport import defaults, encryption
from buttress.serving.intake import shut
from tests.databases import fresh_database
from tests.db.conftest import EXTENSIONS
from tests.services import Make

POSTGRES, MARIADB = sa.make_url("postgresql+psycopg://h/x"), sa.make_url("mariadb+pymysql://h/x")


@pytest.fixture(params=["postgres", "mariadb"])
def app(request: pytest.FixtureRequest, make: Make, tmp_path: Path) -> Any:
    """Give a service with a database on a server, which gives up early."""
    with fresh_database(request.param, tmp_path) as url:
        yield make(extensions=EXTENSIONS, DB_URL=url, DB_CONNECT_TIMEOUT=1, DB_MIGRATE="off")


def socket_of(app: Service) -> socket.socket:
    """Give another handle of the socket of the connection that comes next."""
    lent = app.db._hot.take()
    try:
        driver: Any = lent.dbapi_connection
        held = driver.fileno() if app.db.engine.driver == "psycopg" else driver._sock.fileno()
        return socket.socket(fileno=os.dup(held))
    finally:
        app.db._hot.give(lent)


def test_options_of_the_socket(app: Service) -> None:
    """The system gives a connection up whose other side is silent for too long."""
    names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
    known = {name: getattr(socket, name) for name in names if hasattr(socket, name)}
    with socket_of(app) as found:
        values = [found.getsockopt(socket.IPPROTO_TCP, option) for option in known.values()]
        assert found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
    expected = {"TCP_USER_TIMEOUT": 1000, "TCP_KEEPCNT": 3}
    assert values == [expected.get(name, 1) for name in known]


@pytest.mark.proof
@pytest.mark.skipif(os.geteuid() != 0, reason="a filter on a socket is for the privileged")
def test_a_host_that_vanishes(app: Service) -> None:
    """A host that answers no more, and says nothing either, is given up; the next one is asked."""
    app.db.one("SELECT 1")
    with socket_of(app) as found:
        shut(found)
    began = time.monotonic()
    with pytest.raises(sa.exc.DBAPIError) as caught:
        app.db.one("SELECT 2")
    assert caught.value.connection_invalidated
    assert time.monotonic() - began < 4
    assert app.db.one("SELECT 3") == 3


def test_a_url_says_more(make: Make, tmp_path: Path) -> None:
    """What the URL says of connecting goes before the defaults."""
    with fresh_database("postgres", tmp_path) as url:
        app = make(extensions=EXTENSIONS, DB_URL=f"{url}?connect_timeout=9&keepalives_idle=77")
        lent = app.db._hot.take()
        told: Any = lent.dbapi_connection
        found = told.info.get_parameters()
        app.db._hot.give(lent)
        app.close()
    assert [found["connect_timeout"], found["keepalives_idle"]] == ["9", "77"]
    assert found["tcp_user_timeout"] == "5000"


def test_other_drivers_are_left_alone() -> None:
    """A driver that we know nothing of gets no options that it may not have."""
    dialect = sa.make_url("firebird+firebird://h/x").get_dialect()()
    assert defaults(dialect, DbSettings()) == {}


def test_encryption_by_libpq() -> None:
    """PostgreSQL's library gets the words and files of the settings."""
    settings = DbSettings(
        tls="verify-full", tls_ca=Path("ca"), tls_cert=Path("c"), tls_key=Path("k")
    )
    assert encryption(POSTGRES, settings) == {
        "sslmode": "verify-full",
        "sslrootcert": "ca",
        "sslcert": "c",
        "sslkey": "k",
    }
    assert encryption(POSTGRES, DbSettings()) == {}


@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        ("require", (ssl.CERT_NONE, False)),
        ("verify-ca", (ssl.CERT_REQUIRED, False)),
        ("verify-full", (ssl.CERT_REQUIRED, True)),
    ],
)
def test_encryption_by_pymysql(tls: Any, expected: tuple[ssl.VerifyMode, bool]) -> None:
    """PyMySQL verifies as far as it is told, the name too where it has no file of certificates."""
    context = encryption(MARIADB, DbSettings(tls=tls))["ssl"]
    assert (context.verify_mode, context.check_hostname) == expected


def test_encryption_that_is_preferred() -> None:
    """PyMySQL prefers encryption by itself."""
    assert encryption(MARIADB, DbSettings(tls="prefer")) == {}


def test_certificates_that_are_not_there(tmp_path: Path) -> None:
    """A file that cannot be read is named as a mistake in the settings."""
    with pytest.raises(ConfigError, match="files of DB_TLS_ cannot be used: .*No such file"):
        encryption(MARIADB, DbSettings(tls="verify-ca", tls_ca=tmp_path / "gone.pem"))


def test_encryption_of_another_driver() -> None:
    """A driver that cannot be told to encrypt is refused, rather than left in the clear."""
    with pytest.raises(ConfigError, match="DB_TLS is not for the driver 'firebird'"):
        encryption(sa.make_url("firebird+firebird://h/x"), DbSettings(tls="require"))


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"DB_TLS_CA": "ca.pem"}, "DB_TLS_CA is for DB_TLS=verify-ca and verify-full"),
        (
            {"DB_TLS": "require", "DB_TLS_CA": "ca.pem"},
            "DB_TLS_CA is for DB_TLS=verify-ca and verify-full",
        ),
        ({"DB_TLS_CERT": "c.pem", "DB_TLS_KEY": "k.pem"}, "DB_TLS_CERT needs encryption"),
        ({"DB_TLS_KEY": "k.pem"}, "belong together"),
    ],
)
def test_half_of_an_encryption(make: Make, config: dict[str, str], sentence: str) -> None:
    """Files that would not be looked at are refused."""
    with pytest.raises(ConfigError, match=sentence):
        make(extensions=EXTENSIONS, **config)
