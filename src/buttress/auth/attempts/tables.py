"""The table of the attempts; its migration is in ``buttress/auth/versions``."""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()

ATTEMPT = sa.Table(
    "buttress_attempt",
    METADATA,
    sa.Column("counted", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("since", sa.Double, nullable=False, index=True),
    sa.Column("after", sa.Double, nullable=False),
)
