"""Where the database is: the settings as a SQLAlchemy URL, with a driver that is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from buttress.errors import ConfigError, ExtensionError

if TYPE_CHECKING:
    from buttress.db.settings import DbSettings
    from buttress.service import Service

#: The drivers that are chosen where a URL names none, by its scheme.
DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite+pysqlite",
    "firebird": "firebird+firebird",
}
#: The extra that brings the driver of a kind of database.
EXTRAS = {"postgresql": "db", "mysql": "mariadb", "mariadb": "mariadb", "firebird": "firebird"}


def address_of(app: Service, settings: DbSettings) -> sa.URL:
    """Give the URL of the database; nothing is contacted.

    Raises `ConfigError` for what is no database URL, and `ExtensionError` where its driver is
    not installed.
    """
    if settings.url is not None:
        url = _parsed(settings.url.reveal())
    elif settings.pg_endpoint is not None:
        url = _of_parts(settings)
    else:
        url = sa.URL.create("sqlite+pysqlite", database=f"{app.package.rpartition('.')[2]}.sqlite")
    _require_driver(url)
    return _placed(url, Path(app.instance_path))


def shown_name(url: sa.URL) -> str:
    """Name a database as the log does: its host and name, or its file."""
    if url.host:
        return f"{url.host}{f':{url.port}' if url.port else ''}/{url.database}"
    return url.database or "in memory"


def in_memory(url: sa.URL) -> bool:
    """Tell whether this is a SQLite database without a file."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def _parsed(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError):
        raise ConfigError([_no_url("is no URL of a database")]) from None
    return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))


def _of_parts(settings: DbSettings) -> sa.URL:
    host, _, port = (settings.pg_endpoint or "").rpartition(":")
    if not host or not port.isdigit() or host.endswith(":"):
        host, port = settings.pg_endpoint or "", ""
    return sa.URL.create(
        "postgresql+psycopg",
        username=settings.pg_username,
        password=settings.pg_password.reveal() if settings.pg_password else None,
        host=host.strip("[]"),
        port=int(port) if port else None,
        database=settings.pg_database,
    )


def _require_driver(url: sa.URL) -> None:
    backend = url.get_backend_name()
    try:
        url.get_dialect().import_dbapi()
    except NoSuchModuleError:
        if backend in EXTRAS:
            raise ExtensionError("db", _missing(url, url.drivername)) from None
        raise ConfigError([_no_url(f"has the scheme '{url.drivername}'")]) from None
    except ImportError as error:
        raise ExtensionError("db", _missing(url, error.name or str(error))) from error


def _missing(url: sa.URL, package: str) -> str:
    backend = url.get_backend_name()
    ours = url.drivername == DRIVERS.get(backend)
    extra = EXTRAS.get(backend) if ours else None
    how = f"pip install 'buttress[{extra}]'" if extra else "install it"
    return f"DB_URL names {backend}, which needs the package '{package}': {how}."


def _no_url(fault: str) -> str:
    known = ", ".join(f"{scheme}://" for scheme in sorted(DRIVERS))
    return f"DB_URL {fault} (its value is not shown): write one that begins with {known}."


def _placed(url: sa.URL, instance: Path) -> sa.URL:
    """Put a relative SQLite file into the instance folder, which is made if need be."""
    if url.get_backend_name() != "sqlite" or in_memory(url) or url.query.get("uri"):
        return url
    file = instance / (url.database or "")
    if not Path(url.database or "").is_absolute():
        file.parent.mkdir(parents=True, exist_ok=True)
    return url.set(database=str(file))
