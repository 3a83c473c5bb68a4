"""What connections are made with: how they are encrypted, and when silence is their end."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any

from buttress.errors import ConfigError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from buttress.db.settings import DbSettings

Options = dict[str, Any]

#: Drivers that take the options of PostgreSQL's own library.
LIBPQ = frozenset({"psycopg", "psycopg2"})
PYMYSQL = "pymysql"


def encryption(url: sa.URL, settings: DbSettings) -> Options:
    """Say how connections are encrypted, as the settings want it, whatever the URL says."""
    if url.get_backend_name() == "sqlite" or settings.tls is None:
        return {}
    driver = url.get_driver_name()
    if driver in LIBPQ:
        files = {"root": settings.tls_ca, "": settings.tls_cert, "key": settings.tls_key}
        names = {"root": "sslrootcert", "": "sslcert", "key": "sslkey"}
        given = {names[key]: str(path) for key, path in files.items() if path is not None}
        return {"sslmode": settings.tls, **given}
    if driver == PYMYSQL:
        return {} if settings.tls == "prefer" else {"ssl": _tls_context(settings)}
    raise ConfigError([f"DB_TLS is not for the driver '{driver}': DB_URL says how it encrypts."])


def _tls_context(settings: DbSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca)
        if settings.tls_cert is not None:
            context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except OSError as error:  # of which those of TLS are
        raise ConfigError([f"The files of DB_TLS_ cannot be used: {error}"]) from error
    # The certificates that MySQL makes for itself are not as strict as Python 3.13 is.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = settings.tls == "verify-full"
    context.verify_mode = ssl.CERT_NONE if settings.tls == "require" else ssl.CERT_REQUIRED
    return context


def defaults(dialect: sa.Dialect, settings: DbSettings) -> Options:
    """Say how connections are made where their URL says nothing else.

    A host that does not even acknowledge what it is sent is given up as fast as one to which no
    connection can be made; its silence alone takes twice as long to be noticed.
    """
    seconds = settings.connect_timeout
    if dialect.name == "sqlite":
        return {
            "timeout": settings.busy_timeout,
            "isolation_level": None,
            "check_same_thread": False,
        }
    if dialect.driver in LIBPQ:
        return {
            "connect_timeout": seconds,
            "keepalives_idle": seconds,
            "keepalives_interval": max(1, seconds // 3),
            "keepalives_count": 3,
            "tcp_user_timeout": 1000 * seconds,
        }
    if dialect.driver == PYMYSQL:
        return {"connect_timeout": seconds, "charset": "utf8mb4"}
    return {}


def watch_silence(connection: Any, seconds: int) -> None:
    """Do for PyMySQL what libpq does by itself; a read timeout would end long statements."""
    wanted = {
        "TCP_KEEPIDLE": seconds,
        "TCP_KEEPINTVL": max(1, seconds // 3),
        "TCP_KEEPCNT": 3,
        "TCP_USER_TIMEOUT": 1000 * seconds,
    }
    found = connection._sock
    if found.family == socket.AF_UNIX:
        return
    for name, value in wanted.items():
        if hasattr(socket, name):  # which are there depends on the system
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
