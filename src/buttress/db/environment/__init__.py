"""Alembic's environment, the same for every location of migrations."""
