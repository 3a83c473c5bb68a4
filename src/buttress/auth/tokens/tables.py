"""The table of the tokens; its migration is in ``buttress/auth/versions``."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

METADATA = sa.MetaData()
#: Ids of users differ where their letters do, also on databases that see no difference.
_Exact = (
    sa.String(255)
    .with_variant(sa.String(255, collation="C"), "postgresql")
    .with_variant(mysql.VARCHAR(255, collation="utf8mb4_bin"), "mysql", "mariadb")
)

#: ``scopes`` are parted by spaces; ``NULL`` is all that the owner may.
TOKEN = sa.Table(
    "buttress_token",
    METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("owner", sa.String(255), nullable=False),
    sa.Column("owner_id", _Exact, nullable=False, index=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("label", sa.String(200), nullable=False),
    sa.Column("scopes", sa.Text),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("expires", sa.Double, nullable=False, index=True),
    sa.Column("used", sa.Double),
)
