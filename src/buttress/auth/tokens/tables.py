"""The table of the tokens; its migration is in ``buttress/auth/versions``."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

METADATA = sa.MetaData()


def exact(length: int) -> sa.types.TypeEngine[str]:
    """Give the type of a text of any script that differs where its letters do, on every database.

    It is ordered by code points.
    """
    return (
        sa.String(length)
        .with_variant(sa.String(length, collation="C"), "postgresql")
        .with_variant(mysql.VARCHAR(length, collation="utf8mb4_bin"), "mysql", "mariadb")
    )


#: ``scopes`` are parted by spaces; ``NULL`` is all that the owner may.
TOKEN = sa.Table(
    "buttress_token",
    METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("owner", exact(255), nullable=False),
    sa.Column("owner_id", exact(255), nullable=False, index=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("label", exact(200), nullable=False),
    sa.Column("scopes", sa.Text),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("expires", sa.Double, nullable=False, index=True),
    sa.Column("used", sa.Double),
)
