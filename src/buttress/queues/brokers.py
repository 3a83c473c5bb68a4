"""The brokers that there are, by the scheme of ``QUEUES_URL``."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, cast

from buttress.errors import ConfigError, ExtensionError
from buttress.queues.memory import MemoryBroker

if TYPE_CHECKING:
    from pathlib import Path

    from buttress.db import Database, Location
    from buttress.queues.broker import Broker
    from buttress.queues.handled import Handled
    from buttress.queues.outbox import Outbox
    from buttress.queues.settings import QueuesSettings
    from buttress.queues.sql import SqlBroker

#: Where the brokers are that need a package, and the extra that brings it.
ELSEWHERE = {
    "sqs": ("buttress.queues.sqs:SqsBroker", "aws"),
    "amqp": ("buttress.queues.amqp:AmqpBroker", "amqp"),
    "amqps": ("buttress.queues.amqp:AmqpBroker", "amqp"),
}
SCHEMES = ("sql", "memory", *ELSEWHERE)


# What needs SQLAlchemy is imported only for a service that has a database.


def sql_broker(database: Database) -> SqlBroker:
    """Make the broker in a database."""
    return cast("SqlBroker", import_module("buttress.queues.sql").SqlBroker(database))


def outbox(database: Database, sql: SqlBroker, broker: Callable[[], Broker]) -> Outbox:
    """Make the outbox of a database's sessions."""
    return cast("Outbox", import_module("buttress.queues.outbox").Outbox(database, sql, broker))


def handled(database: Database, days: float) -> Handled:
    """Make the memory of what was handled."""
    return cast("Handled", import_module("buttress.queues.handled").Handled(database, days))


def location(versions: Path) -> Location:
    """Give where the migrations of the tables are."""
    tables = import_module("buttress.queues.tables")
    made = import_module("buttress.db").Location
    return cast("Location", made("queues", versions, "buttress_queues_version", [tables.METADATA]))


def scheme_of(settings: QueuesSettings, has_database: bool) -> str:
    """Give the scheme of the broker that the settings mean. Raises `ConfigError`."""
    if settings.url is None:
        return "sqs" if settings.names_sqs else "sql" if has_database else "memory"
    scheme = settings.url.reveal().partition(":")[0].lower()
    if scheme not in SCHEMES:
        known = ", ".join(f"{it}:" for it in SCHEMES)
        raise ConfigError(
            [f"QUEUES_URL names no broker (its value is not shown): begin it with {known}."]
        )
    return scheme


def broker_of(settings: QueuesSettings, sql: SqlBroker | None) -> Broker:
    """Make the broker that the settings mean; nothing is contacted.

    Raises `ConfigError` for one that is unknown, and `ExtensionError` where something is missing.
    """
    scheme = scheme_of(settings, sql is not None)
    if scheme == "memory":
        return MemoryBroker()
    if scheme == "sql":
        if sql is None:
            raise ExtensionError(
                "queues", "QUEUES_URL=sql: needs the extension 'db': add it to extensions=[…]."
            )
        return sql
    place, extra = ELSEWHERE[scheme]
    module, _, name = place.partition(":")
    try:
        return cast("Broker", getattr(import_module(module), name)(settings))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("buttress"):
            raise
        raise ExtensionError(
            "queues",
            f"QUEUES_URL={scheme}: needs the package '{error.name}': "
            f"pip install 'buttress[{extra}]'.",
        ) from error
