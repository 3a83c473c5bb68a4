"""The database: sessions, SQL in one line, and migrations, on SQLite or any other.

Other extensions use what is named here and nothing else of this folder.
"""

from __future__ import annotations

from buttress.db.clock import epoch
from buttress.db.database import Database
from buttress.db.engine import for_writing
from buttress.db.extension import DbExtension
from buttress.db.lease import Lease
from buttress.db.migrations import Location, Migrations
from buttress.db.settings import DbSettings
from buttress.db.unavailable import as_unavailable

__all__ = [
    # the extension
    "Database",
    "DbExtension",
    "DbSettings",
    # what one process in the cluster has at a time
    "Lease",
    # tables of other extensions
    "Location",
    "Migrations",
    # for SQL of other extensions
    "as_unavailable",
    "epoch",
    "for_writing",
]
