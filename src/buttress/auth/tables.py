"""The tables of users and reset codes in a database; their migration is in ``versions``."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from buttress.auth.attempts import tables as attempts
from buttress.auth.tokens import tables as tokens
from buttress.auth.tokens.tables import exact
from buttress.db import Location

METADATA = sa.MetaData()

_Text = sa.Text().with_variant(mysql.TEXT(collation="utf8mb4_bin"), "mysql", "mariadb")

#: ``roles`` is a list in JSON; ``created`` and ``changed`` are seconds since 1970.
USER = sa.Table(
    "buttress_user",
    METADATA,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("name", exact(128), nullable=False),
    sa.Column("email", exact(254)),
    sa.Column("roles", _Text, nullable=False),
    sa.Column("active", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("password", exact(2048), nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Index("uq_buttress_user_name", "name", unique=True),
)

#: ``owner`` is a digest of the user's id; ``issued`` is seconds since 1970. A code that was used
#: has the digest ``''``, and stays until its slot is free again.
RESET = sa.Table(
    "buttress_reset",
    METADATA,
    sa.Column("owner", sa.String(64), primary_key=True),
    sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("salt", sa.String(32), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("issued", sa.BigInteger, nullable=False, index=True),
)

LOCATION = Location(
    "auth",
    Path(__file__).with_name("versions"),
    "buttress_auth_version",
    [METADATA, tokens.METADATA, attempts.METADATA],
)
