"""Migrations by Alembic: the application's own, and those of each extension that has tables."""

from __future__ import annotations

import logging
import threading
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from buttress.db.address import in_memory
from buttress.db.engine import for_writing
from buttress.db.unavailable import is_locked
from buttress.errors import SetupError

if TYPE_CHECKING:
    from alembic.script import Script

logger = logging.getLogger("buttress.db")

#: Alembic's environment of every location.
ENVIRONMENT = Path(__file__).with_name("environment")
ANOTHER = "Another process migrates, or writes, for more than {:g} s."
#: Alembic's commands share state of the process.
_ONE_COMMAND = threading.Lock()


@dataclass(frozen=True)
class Location:
    """A folder ``versions`` of migrations, the table that holds how far they have come."""

    name: str
    versions: Path
    version_table: str
    metadata: Sequence[sa.MetaData] = ()

    def scripts(self) -> ScriptDirectory:
        """Read the migrations."""
        return ScriptDirectory.from_config(self.config())

    def config(self, **attributes: Any) -> Config:
        """Make Alembic's configuration of this location."""
        config = Config(attributes={"location": self, **attributes}, cmd_opts=Namespace(quiet=True))
        config.set_main_option("script_location", _escaped(ENVIRONMENT))
        config.set_main_option("version_locations", _escaped(self.versions))
        config.set_main_option("path_separator", "newline")
        return config


@dataclass(frozen=True)
class Standing:
    """How far one location has come: the revisions that are applied, and the newest."""

    location: str
    current: tuple[str, ...]
    heads: tuple[str, ...]
    #: True where the database has revisions that are not among the files: newer code was here.
    ahead: bool

    @property
    def behind(self) -> bool:
        """Tell whether migrations have yet to be run."""
        return not self.ahead and not set(self.heads) <= set(self.current)


class Migrations:
    """The migrations of one application, over the engine of its sessions."""

    def __init__(self, engine: sa.Engine, timeout: float) -> None:
        self._engine = engine
        self._timeout = timeout
        self.locations: list[Location] = []
        self._told_ahead: set[str] = set()
        # It tells of every look at a version; our environment tells of what is run.
        logging.getLogger("alembic").setLevel(logging.WARNING)

    def location(self, name: str) -> Location:
        """Give a location by its name. Raises `SetupError` where there is none."""
        for each in self.locations:
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.locations)
        hint = f"There are: {known}." if known else "Make it: buttress db init."
        raise SetupError(f"There is no location '{name}' of migrations. {hint}")

    def standing(self) -> list[Standing]:
        """Tell how far each location has come; only reads."""
        with self._engine.connect() as connection:
            return [self._standing_of(each, connection) for each in self.locations]

    def behind(self) -> list[str]:
        """Name the locations that have migrations yet to be run."""
        standing = self.standing() if self.locations else []
        ahead = {each.location for each in standing if each.ahead}
        if ahead - self._told_ahead:
            self._told_ahead |= ahead
            logger.warning(
                "The database has migrations that this code does not know (%s): newer code was "
                "here, or another service has the same DB_VERSION_TABLE",
                ", ".join(sorted(ahead)),
            )
        return [each.location for each in standing if each.behind]

    def upgrade(self, name: str | None = None, revision: str = "heads") -> None:
        """Run the migrations of a location, by default of all, up to a revision.

        One process at a time does so; others wait, and then find nothing left to do. Raises
        whatever a migration raises, after which nothing of its location is changed, except on
        MariaDB and MySQL, which cannot take back a change of tables. Raises `SetupError` where
        migrations on SQLite, which has no foreign keys meanwhile, leave rows that refer to none.
        """
        for location in self.locations if name is None else [self.location(name)]:
            self._run(command.upgrade, location, revision)

    def downgrade(self, revision: str, name: str = "app") -> None:
        """Take the migrations of a location back to a revision; ``base`` is before the first."""
        self._run(command.downgrade, self.location(name), revision)

    def revise(self, message: str, *, empty: bool = False) -> Path | None:
        """Write a migration of the application from what the database has to the models.

        Gives ``None``, and writes nothing, where they are the same and ``empty`` is not asked for.

        Raises `SetupError` where the database is not at the newest migration.
        """
        location = self.location("app")
        with self._engine.connect() as connection:
            standing = self._standing_of(location, connection)
        if standing.behind:
            raise SetupError("The database is behind its migrations: buttress db upgrade.")
        if len(standing.heads) > 1:
            raise SetupError(
                f"The migrations of app end in {' and in '.join(standing.heads)}: join them by "
                "buttress db merge."
            )
        options = {} if empty else {"process_revision_directives": _drop_empty}
        made = self._run(command.revision, location, message, autogenerate=not empty, **options)
        return Path(made.path) if made else None

    def merge(self, message: str) -> Path | None:
        """Write a migration of the application that joins several ends; ``None`` where one is."""
        location = self.location("app")
        if len(location.scripts().get_heads()) < 2:
            return None
        made = command.merge(location.config(), "heads", message)
        return Path(made.path) if made else None

    def _standing_of(self, location: Location, connection: sa.Connection) -> Standing:
        options = {"version_table": location.version_table}
        current = MigrationContext.configure(connection, opts=options).get_current_heads()
        scripts = location.scripts()
        try:
            heads = tuple(scripts.get_heads())
        except KeyError as error:
            raise SetupError(
                f"Migrations of {location.name}: one comes after {error}, which is not there."
            ) from error
        ahead = not all(_is_known(scripts, revision) for revision in current)
        return Standing(location.name, tuple(current), heads, ahead)

    def _run(self, action: Any, location: Location, argument: str, **options: Any) -> Any:
        """Run an action of Alembic's on a connection that is closed afterwards."""
        with _ONE_COMMAND, for_writing(self._engine).connect() as connection:
            config = location.config(connection=connection, timeout=self._timeout)
            try:
                made: Script | None = action(config, argument, **options)
            except CommandError as error:
                raise SetupError(f"Migrations of {location.name}: {error}") from error
            except DBAPIError as error:
                if is_locked(error.orig):
                    raise SetupError(ANOTHER.format(self._timeout)) from error
                raise
            finally:
                if not in_memory(self._engine.url):
                    connection.invalidate()
        return made


def _is_known(scripts: ScriptDirectory, revision: str) -> bool:
    try:
        return scripts.get_revision(revision) is not None
    except CommandError:
        return False


def _drop_empty(_context: object, _revision: object, directives: list[Any]) -> None:
    directives[:] = [it for it in directives if not it.upgrade_ops.is_empty()]


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")
