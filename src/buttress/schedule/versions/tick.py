"""The table of ticks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "tick"
down_revision = None
branch_labels = None
depends_on = None

# MariaDB's usual collations take two names that differ in case for one.
NAME = sa.String(180).with_variant(mysql.VARCHAR(180, collation="utf8mb4_bin"), "mysql", "mariadb")


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "buttress_tick",
        sa.Column("job", NAME, primary_key=True),
        # Microseconds since 1970: whole numbers compare alike in every database.
        sa.Column("last", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("buttress_tick")
