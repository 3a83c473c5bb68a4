"""Make the tables of the queues."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "q1"
down_revision = None
branch_labels = None
depends_on = None


def _name(length: int) -> sa.types.TypeEngine[str]:
    exact = mysql.VARCHAR(length, collation="utf8mb4_bin")
    return sa.String(length).with_variant(exact, "mysql", "mariadb")


def upgrade() -> None:
    """Make the tables."""
    op.create_table("buttress_queue", sa.Column("name", _name(100), primary_key=True))
    op.create_table(
        "buttress_message",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("queue", _name(100), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column(
            "body",
            sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb"),
            nullable=False,
        ),
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
    )
    next_of = ["queue", "dead", "number"]
    op.create_index("ix_buttress_message_next", "buttress_message", next_of)
    group = ["queue", "group_id", "number"]
    op.create_index("ix_buttress_message_group", "buttress_message", group)
    op.create_table(
        "buttress_handled",
        sa.Column("queue", _name(100), primary_key=True),
        sa.Column("id", _name(128), primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_index("ix_buttress_handled_at", "buttress_handled", ["at"])


def downgrade() -> None:
    """Remove them, with every message."""
    for table in ("buttress_handled", "buttress_message", "buttress_queue"):
        op.drop_table(table)
