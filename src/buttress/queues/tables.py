"""The tables of the queues in a database; their migrations are in ``versions``."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

METADATA = sa.MetaData()
#: What the names of outboxes begin with, and where ids against duplicates are kept.
OUTBOX, DEDUP = "outbox:", "dedup:"

_Long = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _name(length: int) -> sa.types.TypeEngine[str]:
    """Give the type of a name, in which case matters on every database."""
    exact = mysql.VARCHAR(length, collation="utf8mb4_bin")
    return sa.String(length).with_variant(exact, "mysql", "mariadb")


QUEUE = sa.Table(
    "buttress_queue",
    METADATA,
    sa.Column("name", _name(100), primary_key=True),
)

#: ``visible`` and ``sent`` are seconds since 1970, by the database's clock and the sender's.
MESSAGE = sa.Table(
    "buttress_message",
    METADATA,
    sa.Column("number", _Number, primary_key=True, autoincrement=True),
    sa.Column("queue", _name(100), nullable=False),
    sa.Column("id", sa.String(64), nullable=False),
    sa.Column("body", _Long, nullable=False),
    sa.Column("attributes", sa.Text, nullable=False),
    sa.Column("group_id", sa.String(128)),
    sa.Column("dedup_id", sa.String(128)),
    sa.Column("request_id", sa.String(128)),
    sa.Column("sent", sa.Double, nullable=False),
    sa.Column("visible", sa.Double, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("turn", sa.String(32)),
    sa.Column("dead", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Index("ix_buttress_message_next", "queue", "dead", "number"),
    sa.Index("ix_buttress_message_group", "queue", "group_id", "number"),
)

#: What was handled with ``once=True``, and under ``dedup:<queue>`` what was sent lately.
HANDLED = sa.Table(
    "buttress_handled",
    METADATA,
    sa.Column("queue", _name(100), primary_key=True),
    sa.Column("id", _name(128), primary_key=True),
    sa.Column("at", sa.Double, nullable=False, index=True),
)
