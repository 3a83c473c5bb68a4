"""A service that exists for one measurement."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from buttress import Service, create_app

NAME = "bench_service"


@contextmanager
def service(extensions: list[Any], **config: Any) -> Iterator[Service]:
    """Make a service of an empty package, by its settings, and close it afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder, NAME)
        package.mkdir()
        (package / "__init__.py").touch()
        sys.path.insert(0, folder)
        app = create_app(NAME, extensions=extensions, config={"MODE": "testing", **config})
        try:
            yield app
        finally:
            app.close()
            sys.path.remove(folder)
            sys.modules.pop(NAME, None)
