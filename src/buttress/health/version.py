"""Which version runs: ``version.json`` as Dockerflow has it, else what the package says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from buttress.errors import ConfigError

if TYPE_CHECKING:
    from buttress.service import Service

FILE = "version.json"


def stamped_version(app: Service, named: str | None) -> dict[str, Any] | None:
    """Read the version that the build has left in a file; ``None`` where there is none.

    Raises `ConfigError` for a named file that is missing, and for one that is no JSON object.
    """
    root = Path(app.root_path)
    if named is not None:
        return _read(root / named)
    places = (root / FILE, root.parent / FILE, Path(app.instance_path) / FILE)
    return next((_read(place) for place in places if place.is_file()), None)


def package_version(package: str) -> dict[str, Any]:
    """Tell the version of the distribution, or of the package, that the application is in."""
    # Needed by few, and slow to import.
    from importlib import metadata

    top = package.partition(".")[0]
    try:
        return {"source": top, "version": metadata.version(top)}
    except metadata.PackageNotFoundError:
        version = getattr(sys.modules.get(top), "__version__", "unknown")
        return {"source": top, "version": str(version)}


def _read(file: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except OSError as error:
        problem = f"HEALTH_VERSION_FILE: cannot read {file}: {error.strerror}."
        raise ConfigError([problem]) from error
    except msgspec.MsgspecError as error:
        raise ConfigError([f"{file} is no JSON object: {error}."]) from error
