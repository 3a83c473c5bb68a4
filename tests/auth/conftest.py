"""What the tests of identity share: services, databases, and hashes that cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from buttress.auth.passwords import Passwords
from buttress.auth.settings import AuthSettings
from buttress.auth.tables import LOCATION
from buttress.db import Database
from tests.databases import KINDS, fresh_database
from tests.packages import forget_modules, write_package
from tests.services import Make, services

#: Parameters with which a hash takes no time; only development allows them.
CHEAP = AuthSettings(argon2_memory_cost=8, argon2_time_cost=1)


@pytest.fixture
def make(package: Callable[[Mapping[str, str]], Path]) -> Iterator[Make]:
    """Give a function that makes services."""
    with services(package) as made:
        yield made


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    """Give passwords that are hashed in no time."""
    with closing(Passwords(CHEAP, "development")) as made:
        yield made


@pytest.fixture(scope="module", params=KINDS)
def migrated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """Give a database with the tables, of each kind; the tests of a module share it."""
    folder = tmp_path_factory.mktemp("auth")
    with pytest.MonkeyPatch.context() as patch, fresh_database(request.param, folder) as url:
        patch.syspath_prepend(str(folder))
        with services(lambda files: write_package(folder, files)) as make:
            app = make("resort", extensions=["log", "db"], DB_URL=url)
            app.db.migrations.locations.append(LOCATION)
            app.db.migrations.upgrade()
            yield app.db
        forget_modules(folder)


@pytest.fixture
def database(migrated: Database) -> Database:
    """Give a database whose tables are empty, of each kind."""
    for table in ("buttress_user", "buttress_reset"):
        migrated.run(f"DELETE FROM {table}")  # noqa: S608  # names of ours
    return migrated
