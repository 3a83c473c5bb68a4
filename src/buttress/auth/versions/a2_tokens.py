"""Make the tables of tokens and of attempts to log in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "a2"
down_revision = "a1"
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
    op.create_table(
        "buttress_token",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("owner", _exact(255), nullable=False),
        sa.Column("owner_id", _exact(255), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("label", _exact(200), nullable=False),
        sa.Column("scopes", sa.Text),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("used", sa.Double),
    )
    op.create_index("ix_buttress_token_owner_id", "buttress_token", ["owner_id"])
    op.create_index("ix_buttress_token_expires", "buttress_token", ["expires"])
    op.create_table(
        "buttress_attempt",
        sa.Column("counted", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("after", sa.Double, nullable=False),
    )
    op.create_index("ix_buttress_attempt_since", "buttress_attempt", ["since"])


def downgrade() -> None:
    """Remove them: every session ends, and every API token."""
    for table in ("buttress_attempt", "buttress_token"):
        op.drop_table(table)
