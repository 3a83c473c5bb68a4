"""The engines under the demo: embedded ones, or private servers of `tools.services`."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import amqp
import boto3
import sqlalchemy as sa

from tools.services.__main__ import SERVERS, down, up, urls
from tools.services.place import Place

NAMES = ("postgres", "redis", "rabbitmq", "moto")
#: A region that the tests leave alone, and whose key: moto takes any.
REGION, KEY = "eu-south-2", "piste"
SENDER = "piste@val-sereine.example"
#: What the service makes at RabbitMQ.
QUEUES = ("snow-reports", "snow-reports.dead", "closures", "closures.dead")


class NoEngine(Exception):
    """Raised when a server is not to be had."""


@dataclass(frozen=True)
class Engines:
    """What a service is told of its engines, what a person is, and what became of the mails."""

    description: str
    #: How many mails there are, and what the newest says.
    count: Callable[[], int]
    newest: Callable[[], str]
    variables: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def embedded(instance: Path) -> Iterator[Engines]:
    """Give those that need no server; what they keep is below the folder."""

    def mails() -> list[Path]:
        return sorted((instance / "mail").glob("*.eml"))

    yield Engines(
        description="SQLite, queues in it, a cache in memory, mail in a folder",
        count=lambda: len(mails()),
        newest=lambda: _shown(mails()[-1].read_bytes()),
    )


@contextmanager
def real() -> Iterator[Engines]:
    """Give servers, with a database that is new; what did not run before is stopped at the end.

    Raises `NoEngine` where one is not to be had.
    """
    mark = secrets.token_hex(4)
    with (
        servers() as found,
        database(found["postgres"], f"piste_{mark}") as url,
        ses(found["moto"]) as client,
    ):
        try:
            yield Engines(
                description=", ".join(f"{name} on {_host(it)}" for name, it in found.items()),
                count=lambda: int(client.get_send_quota()["SentLast24Hours"]),
                newest=lambda: "SES has taken it; moto keeps it.",
                variables={
                    "GNAR_DB_URL": url,
                    "GNAR_QUEUES_URL": found["rabbitmq"],
                    "GNAR_CACHE_URL": found["redis"],
                    "GNAR_CACHE_PREFIX": f"piste-{mark}:",
                    "GNAR_LIMITER_URL": found["redis"],
                    "GNAR_RATELIMIT_KEY_PREFIX": f"piste-{mark}",
                    "GNAR_MAIL_URL": f"ses://{REGION}",
                    "GNAR_SES_ENDPOINT_URL": found["moto"],
                    "GNAR_SES_ACCESS_KEY_ID": KEY,
                    "GNAR_SES_SECRET_ACCESS_KEY": secrets.token_hex(16),
                },
            )
        finally:
            _delete_queues(found["rabbitmq"])


@contextmanager
def servers() -> Iterator[dict[str, str]]:
    """Start those that do not run, give the URLs by their names, and stop those at the end."""
    chosen = [it for it in SERVERS if it.name in NAMES]
    others = [it for it in chosen if not (it.variable in os.environ or Place(it.name).restore())]
    try:
        print("demo: waiting for PostgreSQL, Redis, RabbitMQ and moto", flush=True)
        with redirect_stdout(io.StringIO()):  # it has the passwords
            up(chosen)
        found = urls(chosen)
        missing = [it.name for it in chosen if it.variable not in found]
        if missing:
            raise NoEngine(f"{', '.join(missing)}: not to be had on this machine")
        yield {it.name: found[it.variable] for it in chosen}
    finally:
        down(others)


@contextmanager
def database(server: str, name: str) -> Iterator[str]:
    """Make an empty database at a PostgreSQL, give its URL, and drop it at the end."""
    url = sa.make_url(server).set(drivername="postgresql+psycopg")
    _execute(url, f"CREATE DATABASE {name}")
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        _execute(url, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def ses(moto: str) -> Iterator[Any]:
    """Give a client of SES, at which the sender is verified, as SES wants it of everybody."""
    client = boto3.client(
        "ses",
        region_name=REGION,
        endpoint_url=moto,
        aws_access_key_id=KEY,
        aws_secret_access_key=secrets.token_hex(16),
    )
    try:
        client.verify_email_identity(EmailAddress=SENDER)
        yield client
    finally:
        client.close()


@contextmanager
def environment_with(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a time."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            if name in before:
                os.environ[name] = before[name]
            else:
                del os.environ[name]


def _execute(url: sa.URL, sql: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(sql)


def _shown(mail: bytes) -> str:
    message = message_from_bytes(mail, policy=policy.default)
    head = [f"{name}: {message[name]}" for name in ("From", "To", "Subject")]
    content: str = message.get_content()
    return "\n".join([*head, "", *content.splitlines()])


def _delete_queues(broker: str) -> None:
    parts = urlsplit(broker)
    address = {"host": f"{parts.hostname}:{parts.port}", "userid": parts.username}
    # A broker that is gone has taken its queues along.
    with (
        suppress(ConnectionError),
        amqp.Connection(**address, password=parts.password) as connection,
    ):
        for queue in QUEUES:
            connection.channel().queue_delete(queue)


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}"
