"""Make the tables of lifts and pistes, and fill them from the data file."""

from __future__ import annotations

import json
import time
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

DATA = Path(__file__).parents[2] / "data" / "area.json"


def upgrade() -> None:
    """Make the change; what is open at first counts as reported now."""
    lift = op.create_table(
        "lift",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("bottom_m", sa.Integer, nullable=False),
        sa.Column("top_m", sa.Integer, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
    )
    piste = op.create_table(
        "piste",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("difficulty", sa.String(20), nullable=False),
        sa.Column("length_m", sa.Integer, nullable=False),
        sa.Column("lift", sa.String(40), sa.ForeignKey("lift.id", name="fk_piste_lift")),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("groomed", sa.Boolean, nullable=False),
        sa.Column("snow_cm", sa.Integer),
        # Seconds since 1970.
        sa.Column("reported_at", sa.Double, nullable=False),
    )
    area = json.loads(DATA.read_text(encoding="utf-8"))
    now = time.time()
    op.bulk_insert(lift, [{**row, "position": at} for at, row in enumerate(area["lifts"])])
    op.bulk_insert(
        piste,
        [{**row, "position": at, "reported_at": now} for at, row in enumerate(area["pistes"])],
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("piste")
    op.drop_table("lift")
