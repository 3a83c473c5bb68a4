"""What Alembic runs for every command: the migrations of one location, one process at a time."""

from __future__ import annotations

from alembic import context

from buttress.db.environment.steps import run

run(context)
