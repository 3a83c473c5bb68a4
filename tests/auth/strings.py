"""Published strings that have broken others: injections, and odd letters."""

from __future__ import annotations

import json

from tests.corpora import corpus


def naughty() -> list[str]:
    """Give strings of odd letters."""
    text = corpus("naughty-strings.json").read_text(encoding="utf-8")
    found: list[str] = json.loads(text)
    return found


def awkward() -> list[str]:
    """Give those, and what is put into SQL and LDAP to break it."""
    files = sorted(corpus("injection").glob("*.txt"))
    lines = [line for file in files for line in file.read_text(errors="replace").splitlines()]
    return [*lines, *naughty()]
