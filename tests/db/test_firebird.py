"""A smoke test of Firebird."""

from __future__ import annotations

import secrets

import pytest
import sqlalchemy as sa

from buttress import ConfigError
from tests.db.conftest import EXTENSIONS
from tests.db.test_guard import Shop, migration, shop
from tests.servers import server_url
from tests.services import Make

__all__ = ["shop"]


def test_from_migration_to_row(shop: Shop) -> None:
    """Migrations, statements and sessions work on it."""
    name = f"lift{secrets.token_hex(4)}"
    options = {"DB_MIGRATE": "upgrade", "DB_VERSION_TABLE": f"{name}_version"}
    app = shop(migration(name), DB_URL=server_url("firebird"), **options)
    try:
        assert app.test_client().get("/").status_code == 200
        add = f"INSERT INTO {name} (id) VALUES (:id)"  # noqa: S608  # the test's own
        assert app.db.run(add, {"id": 1}) == 1
        with app.app_context():
            app.db.session.execute(sa.text(add), {"id": 2})
            app.db.session.commit()
        rows = f"SELECT id FROM {name} ORDER BY id"  # noqa: S608  # the test's own
        assert app.db.all(rows) == [1, 2]
        with pytest.raises(sa.exc.DBAPIError):
            app.db.one("SELECT nonsense")
        assert app.db.migrations.behind() == []
    finally:
        app.db.dispose()
        app.db.migrations.downgrade("base")
        app.db.run(f"DROP TABLE {name}_version")


def test_when_it_is_gone(make: Make) -> None:
    """Requests are answered with 503, also those who need not ask."""
    url = "firebird://me:geheim@127.0.0.1:9//x"
    app = make(extensions=EXTENSIONS, DB_URL=url, DB_MIGRATE="off")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    found = []
    for _ in range(2):
        with pytest.raises(sa.exc.DBAPIError) as caught:
            app.db.one("SELECT 1 FROM rdb$database")
        found.append(getattr(caught.value, "buttress_gone", False))
    assert found == [True, True]


def test_what_it_has_not(make: Make) -> None:
    """Where an extension needs leases the service is not built, with the reason."""
    app = make(extensions=EXTENSIONS, DB_URL="firebird://me@127.0.0.1:9//x", DB_MIGRATE="off")
    with pytest.raises(ConfigError, match="firebird, which has no leases"):
        app.db.need_leases()
