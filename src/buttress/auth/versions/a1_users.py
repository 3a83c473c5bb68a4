"""Make the tables of users and reset codes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "a1"
down_revision = None
branch_labels = None
depends_on = None


def _exact(length: int) -> sa.types.TypeEngine[str]:
    return (
        sa.String(length)
        .with_variant(sa.String(length, collation="C"), "postgresql")
        .with_variant(mysql.VARCHAR(length, collation="utf8mb4_bin"), "mysql", "mariadb")
    )


def upgrade() -> None:
    """Make the tables."""
    text = sa.Text().with_variant(mysql.TEXT(collation="utf8mb4_bin"), "mysql", "mariadb")
    op.create_table(
        "buttress_user",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("name", _exact(128), nullable=False),
        sa.Column("email", _exact(254)),
        sa.Column("roles", text, nullable=False),
        sa.Column("active", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("password", _exact(2048), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
    )
    op.create_index("uq_buttress_user_name", "buttress_user", ["name"], unique=True)
    op.create_table(
        "buttress_reset",
        sa.Column("owner", sa.String(64), primary_key=True),
        sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("issued", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_buttress_reset_issued", "buttress_reset", ["issued"])


def downgrade() -> None:
    """Remove them, with every user."""
    for table in ("buttress_reset", "buttress_user"):
        op.drop_table(table)
