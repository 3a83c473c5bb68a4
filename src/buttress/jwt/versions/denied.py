"""The table of ids of tokens and sessions that are refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "denied"
down_revision = None
branch_labels = None
depends_on = None

# MariaDB's usual collations take two ids that differ in case for one.
ID = sa.String(128).with_variant(mysql.VARCHAR(128, collation="utf8mb4_bin"), "mysql", "mariadb")


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "buttress_jwt_denied",
        sa.Column("id", ID, primary_key=True),
        # Seconds since 1970: until when, and since when by the database's clock.
        sa.Column("until", sa.Double, nullable=False),
        sa.Column("noted", sa.Double, nullable=False),
    )
    op.create_index("ix_buttress_jwt_denied_noted", "buttress_jwt_denied", ["noted"])
    op.create_index("ix_buttress_jwt_denied_until", "buttress_jwt_denied", ["until"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("buttress_jwt_denied")
