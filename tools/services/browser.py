"""The browser of the tests of pages: no server, but installed together with them."""

from __future__ import annotations

import shutil
from pathlib import Path

from tools.services.packages import can_install, install

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PACKAGE = "chromium"


def browser() -> Path | None:
    """Find the program; ``None`` where there is none."""
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    return None if found is None else Path(found)


def provide_browser() -> None:
    """Install it where it is missing and packages may be installed."""
    if browser() is None and can_install():
        install([PACKAGE])
