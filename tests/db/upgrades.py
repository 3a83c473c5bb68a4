"""A program that lets eight processes migrate at once, again and again, and kills some half-way.

It prints a JSON object: in how many rounds not exactly one worked, how many rounds left half a
state, and how many processes were killed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import sqlalchemy as sa

from buttress import Service, create_app

MIGRATION = """
import time
from alembic import op

revision, down_revision = "{name}", {after}


def upgrade():
    op.execute("CREATE TABLE {name} (id INTEGER)")
    time.sleep(0.01)
    op.execute("INSERT INTO runs (name) VALUES ('{name}')")


def downgrade():
    op.execute("DROP TABLE {name}")
"""
NAMES = ("aaa", "bbb", "ccc")
PROCESSES = 8


def main() -> None:
    """Go through the rounds."""
    url, rounds, kills = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    app = application(url)
    killing = set(random.sample(range(rounds), kills))
    wrong = half = killed = 0
    for number in range(rounds):
        reset(app)
        children = [spawn(app) for _ in range(PROCESSES)]
        if number in killing:
            killed += kill_one(children)
        failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
        if number in killing:
            half += len(tables(app)) not in (0, len(NAMES))
            failed -= 1
            app.db.migrations.upgrade()  # whoever comes next finishes
        runs = sorted(app.db.all("SELECT name FROM runs"))
        wrong += runs != sorted(NAMES) or failed > 0 or tables(app) != set(NAMES)
    print(json.dumps({"wrong": wrong, "half": half, "killed": killed}))  # noqa: T201  # is read


def application(url: str) -> Service:
    """Make a service with three migrations."""
    versions = Path("shop/migrations/versions")
    versions.mkdir(parents=True)
    Path("shop/__init__.py").touch()
    for name, after in zip(NAMES, (None, *NAMES), strict=False):
        text = MIGRATION.format(name=name, after=repr(after))
        (versions / f"{name}.py").write_text(text, encoding="utf-8")
    sys.path.insert(0, str(Path.cwd()))
    config = {"DB_URL": url, "LOG_LEVEL": "ERROR"}
    return create_app("shop", extensions=["log", "db"], config=config)


def reset(app: Service) -> None:
    """Begin anew."""
    app.db.migrations.downgrade("base")
    app.db.run("DROP TABLE IF EXISTS runs")
    app.db.run("CREATE TABLE runs (name VARCHAR(20))")
    app.db.dispose()


def tables(app: Service) -> set[str]:
    """Name the tables of the migrations that are there."""
    found = set(sa.inspect(app.db.engine).get_table_names()) & set(NAMES)
    app.db.dispose()
    return found


def spawn(app: Service) -> int:
    """Fork a process that migrates."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            app.db.migrations.upgrade()
            code = 0
        finally:
            os._exit(code)
    return pid


def kill_one(children: list[int]) -> int:
    """Kill one of them while it is at it; gives 1, or 0 where all were done."""
    time.sleep(random.uniform(0.02, 0.1))
    os.kill(random.choice(children), signal.SIGKILL)
    return 1


if __name__ == "__main__":
    main()
