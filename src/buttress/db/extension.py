"""The extension ``db``: a SQL database, SQLite unless another is named."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from buttress.db.address import address_of, shown_name
from buttress.db.database import Database
from buttress.db.migrations import Location
from buttress.db.settings import DbSettings
from buttress.db.unavailable import as_unavailable
from buttress.errors import Unhealthy
from buttress.extension import Extension
from buttress.web import WebExtension

if TYPE_CHECKING:
    from buttress.service import Service

logger = logging.getLogger("buttress.db")


class DbExtension(Extension[DbSettings, Database]):
    """Give the service a SQL database: sessions, SQL in one line, and migrations."""

    name = "db"
    settings = DbSettings
    reserves = ("SQLALCHEMY_",)

    def build(self, app: Service, settings: DbSettings) -> Database:
        """Make it; nothing is contacted."""
        database = Database(app, settings, address_of(app, settings))
        own = own_versions(app)
        if own is not None:
            location = Location("app", own, settings.version_table, [database.Model.metadata])
            database.migrations.locations.append(location)
        app.before_request(database.guard.refuse)
        app.lifecycle.gates[self.name] = lambda: database.guard.obstacle
        if app.slot(WebExtension.name):
            translate = partial(as_unavailable, retry_after=settings.retry_after)
            app.use(WebExtension).error_pages.translations.append(translate)
        return database

    def start(self, it: Database) -> None:
        """Look at the schema, and upgrade it where the settings say so."""
        it.start()
        if it.outage.reason is None:
            logger.info("Database connected at %s", shown_name(it.url))

    def check(self, it: Database) -> Mapping[str, Any]:
        """Ask the database for an answer."""
        try:
            it.ping()
        except SQLAlchemyError as error:
            raise Unhealthy("The database does not answer.") from error
        if it.guard.obstacle is not None:
            raise Unhealthy(it.guard.obstacle)
        return it.load()

    def close(self, it: Database) -> None:
        """Close every connection."""
        it.guard.close()
        it.dispose()


def own_versions(app: Service) -> Path | None:
    """Find the application's own migrations: in its package, or beside it."""
    root = Path(app.root_path)
    places = (root / "migrations/versions", root.parent / "migrations/versions")
    return next((place for place in places if place.is_dir()), None)
