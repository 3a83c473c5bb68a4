"""Settings of the database."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from buttress.config import Key, Secret, Section

_PARTS = ("pg_endpoint", "pg_database", "pg_username", "pg_password")


class DbSettings(Section):
    """Say which database it is, and how it is used."""

    url: Annotated[
        Secret | None,
        Key(aliases=("DATABASE_URL", "SQLALCHEMY_DATABASE_URI"), min_length=0),
        Meta(
            description="Where the database is, such as `postgresql://user:password@host/name`; "
            "a relative `sqlite:///` path is in the instance folder. By default a SQLite file "
            "there, unless PG_ENDPOINT is set."
        ),
    ] = None
    pg_endpoint: Annotated[
        str | None,
        Key(name="PG_ENDPOINT"),
        Meta(description="Host of PostgreSQL, with port if needed, instead of DB_URL."),
    ] = None
    pg_database: Annotated[
        str | None, Key(name="PG_DATABASE"), Meta(description="Name of the database there.")
    ] = None
    pg_username: Annotated[
        str | None, Key(name="PG_USERNAME"), Meta(description="Name of the user there.")
    ] = None
    pg_password: Annotated[
        Secret | None,
        Key(name="PG_PASSWORD", min_length=0),
        Meta(description="Password of the user there."),
    ] = None
    pool_size: Annotated[
        int,
        Meta(
            description="Most connections of a worker for sessions, and as many again for "
            "`run`, `one` and `all`.",
            ge=1,
            le=1000,
        ),
    ] = 10
    pool_timeout: Annotated[
        float,
        Meta(description="Seconds that a request waits for a free connection.", gt=0, le=3600),
    ] = 5.0
    pool_recycle: Annotated[
        int, Meta(description="Seconds after which an idle connection is made anew.", ge=1)
    ] = 1800
    ping_after: Annotated[
        float,
        Meta(
            description="Seconds of rest after which a connection is tried before it is used "
            "again; 0 tries it always.",
            ge=0,
        ),
    ] = 1.0
    connect_timeout: Annotated[
        int,
        Meta(
            description="Seconds that connecting may take, and for which the database's host may "
            "leave unacknowledged what it is sent.",
            ge=1,
            le=300,
        ),
    ] = 5
    statement_timeout: Annotated[
        float,
        Meta(
            description="Seconds that a statement may take on PostgreSQL and MariaDB; 0 is no "
            "limit. The deadline of a request shortens it.",
            ge=0,
            le=86400,
        ),
    ] = 30.0
    busy_timeout: Annotated[
        float,
        Meta(description="Seconds that SQLite waits for another writer.", ge=0, le=3600),
    ] = 5.0
    retry_after: Annotated[
        int,
        Meta(description="Seconds in `Retry-After` where the database is down.", ge=0, le=86400),
    ] = 5
    tls: Annotated[
        Literal["prefer", "require", "verify-ca", "verify-full"] | None,
        Meta(
            description="How connections are encrypted, in the words of PostgreSQL's sslmode; by "
            "default as the driver does it."
        ),
    ] = None
    tls_ca: Annotated[
        Path | None,
        Meta(
            description="Certificates that the server's is checked against; needs "
            "`DB_TLS=verify-ca` or `verify-full`."
        ),
    ] = None
    tls_cert: Annotated[Path | None, Meta(description="The service's own certificate.")] = None
    tls_key: Annotated[Path | None, Meta(description="The key of that certificate.")] = None
    at_start: Annotated[
        Literal["serve", "refuse"],
        Meta(
            description="What a worker does that cannot reach the database when it starts: serve, "
            "and be ready once it can, or end."
        ),
    ] = "serve"
    migrate: Annotated[
        Literal["upgrade", "check", "off"] | None,
        Meta(
            description="What a worker does about migrations when it starts: run them, or answer "
            "503 until they have been run, or nothing. By default `upgrade` on SQLite and "
            "`check` elsewhere."
        ),
    ] = None
    migrate_timeout: Annotated[
        float,
        Meta(description="Seconds to wait for another process that migrates.", gt=0, le=86400),
    ] = 300.0
    version_table: Annotated[
        str,
        Meta(
            description="Table that holds the version of the application's own tables; services "
            "that share a database need one each.",
            pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}\Z",
            title="a name of letters, digits and underscores",
        ),
    ] = "alembic_version"

    def problems(self) -> Iterable[str]:
        """Name what is half there, and what contradicts itself."""
        given = [name for name in _PARTS if getattr(self, name) is not None]
        if self.url is not None and given:
            yield f"DB_URL and {_keys(given)} are both set: keep DB_URL or the PG_ keys."
        elif given and len(given) < len(_PARTS):
            missing = [name for name in _PARTS if name not in given]
            yield (
                f"{_keys(given)} without {_keys(missing)}: set all four, or none to have SQLite in "
                "the instance folder."
            )
        if (self.tls_cert is None) != (self.tls_key is None):
            yield "DB_TLS_CERT and DB_TLS_KEY belong together: set both, or none."
        if self.tls_ca is not None and self.tls not in ("verify-ca", "verify-full"):
            yield "DB_TLS_CA is for DB_TLS=verify-ca and verify-full: set one of them."
        elif self.tls_cert is not None and self.tls in (None, "prefer"):
            yield "DB_TLS_CERT needs encryption: set DB_TLS to require, verify-ca or verify-full."


def _keys(names: list[str]) -> str:
    return ", ".join(name.upper() for name in names)
