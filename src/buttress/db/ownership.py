"""Which tables of a database are the application's, where others keep theirs in it too."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Any

#: How a migration makes a table or names it, as an operation of Alembic's or in SQL.
_MAKES = re.compile(
    r"""
    create_table\(\s* ['"](?P<made>[^'"]+)
    | rename_table\(\s* ['"][^'"]+['"]\s*,\s* ['"](?P<renamed>[^'"]+)
    | create\s+table\s+ (?:if\s+not\s+exists\s+)? [`"]?(?P<sql>\w+)
    """,
    re.VERBOSE | re.IGNORECASE,
)


class OwnTables:
    """Tell which tables a new migration may drop: those that an older one has made."""

    def __init__(self, versions: Path) -> None:
        self._versions = versions

    def include(self, _item: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
        """Leave out a table that no model describes and no migration has made; Alembic asks."""
        return kind != "table" or not reflected or other is not None or name in self._made

    @cached_property
    def _made(self) -> set[str]:
        texts = [path.read_text("utf-8") for path in sorted(self._versions.glob("*.py"))]
        return {found[found.lastgroup or 0] for text in texts for found in _MAKES.finditer(text)}
