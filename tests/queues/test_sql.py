"""The broker in the service's database, of each kind."""

from __future__ import annotations

import pytest

from buttress import Service
from buttress.queues import Broker
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
