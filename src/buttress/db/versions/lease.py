"""The table of leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "lease"
down_revision = None
branch_labels = None
depends_on = None

# MariaDB's usual collations take two names that differ in case for one.
NAME = sa.String(200).with_variant(mysql.VARCHAR(200, collation="utf8mb4_bin"), "mysql", "mariadb")


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "buttress_lease",
        sa.Column("name", NAME, primary_key=True),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("until", sa.Double, nullable=False),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("buttress_lease")
