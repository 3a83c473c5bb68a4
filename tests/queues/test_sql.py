"""The broker in the service's database, of each kind."""

from __future__ import annotations

import pytest

from buttress import Service
from buttress.queues import Broker, sql
from buttress.testing.contracts.queue_groups import *  # noqa: F403  # the contract
from buttress.testing.contracts.queues import *  # noqa: F403  # the contract
from tests.queues.conftest import EXTENSIONS
from tests.services import Make


@pytest.fixture
def app(make: Make, url: str) -> Service:
    """Give a service whose database has the tables."""
    app = make(extensions=EXTENSIONS, DB_URL=url)
    app.db.migrations.upgrade()
    return app


@pytest.fixture
def broker(app: Service) -> Broker:
    """Give its broker."""
    return app.queues.broker


@pytest.fixture
def queue(broker: Broker) -> str:
    """Give a queue."""
    broker.declare("snow")
    return "snow"


def test_tables_match_their_migrations(app: Service) -> None:
    """The migrations make the tables that the code describes."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    from buttress.queues.tables import METADATA

    with app.db.engine.connect() as connection:
        own = {"include_name": lambda name, kind, _: kind != "table" or name in METADATA.tables}
        context = MigrationContext.configure(connection, opts=own)
        assert compare_metadata(context, METADATA) == []


def test_of_a_group_one_at_a_time(app: Service, queue: str) -> None:
    """A message that comes late, of a transaction begun before, waits for one in flight."""
    broker = app.queues.broker
    first, second = (app.queues.outgoing(body, None, None, None, "g") for body in "ab")
    broker.send(queue, [first, second])
    [taken] = broker.receive(queue, limit=9, wait=0, visibility=30)
    app.db.run("UPDATE buttress_message SET number = 99 WHERE id = :id", {"id": taken.id})
    assert broker.receive(queue, limit=9, wait=0, visibility=30) == []
    app.db.run("DELETE FROM buttress_message WHERE id = :id", {"id": taken.id})
    assert [it.body for it in broker.receive(queue, limit=9, wait=0, visibility=30)] == ["b"]


def test_ids_against_duplicates_are_forgotten(
    app: Service, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids that are too old to matter are removed when others are noted."""
    monkeypatch.setattr(sql, "FORGET_AFTER", 1)
    app.db.run("INSERT INTO buttress_handled VALUES ('dedup:snow', 'old', 5)")
    app.db.run("INSERT INTO buttress_handled VALUES ('snow', 'done', 5)")
    app.queues.send(queue, "x", dedup_id="new")
    assert app.db.all("SELECT id FROM buttress_handled ORDER BY id") == ["done", "new"]
