"""The source distribution of the installed Flask, which holds its tests."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

from tests.rules.source import ROOT

LOCK = ROOT / "requirements/dev.txt"
PATIENCE = 60
"""Seconds that a download may take."""


class SourceUnavailableError(Exception):
    """Raised when the source distribution is neither kept nor can be fetched."""


def unpacked(kept_in: Path, folder: Path) -> Path:
    """Unpack the source distribution into ``folder``; fetch it unless it is in ``kept_in``."""
    requirement = locked(LOCK.read_text(encoding="utf-8"), version("flask"))
    archive = kept_in / f"flask-{version('flask')}.tar.gz"
    if not is_genuine(archive, requirement):
        fetch(requirement, archive)
    with tarfile.open(archive) as tar:
        # Python below 3.11.4 has no filters.
        tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        tar.extractall(folder)  # noqa: S202  # the hash has told what is inside
    return folder / archive.name.removesuffix(".tar.gz")


def locked(lock: str, release: str) -> str:
    """Give the requirement on a release of Flask as it is locked, with its hashes."""
    found = re.search(rf"^flask=={re.escape(release)} (?:.*\\\n)+.*", lock, re.M)
    if found is None:
        raise SourceUnavailableError(f"Flask {release} is not what {LOCK.name} locks: make setup")
    return found[0]


def is_genuine(archive: Path, requirement: str) -> bool:
    """Tell whether a file is there and has one of the hashes of the requirement."""
    if not archive.exists():
        return False
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    return f"--hash=sha256:{digest}" in requirement


def fetch(requirement: str, archive: Path) -> None:
    """Fetch the archive with pip as it is configured here; pip compares the hash."""
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        wanted = Path(folder, "wanted.txt")
        wanted.write_text(requirement + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download"]
        command += ["--quiet", "--retries=1", "--no-deps", "--no-binary=:all:"]
        # The build backend, which pip asks for the name and version, is installed here.
        command += ["--no-build-isolation", "--require-hashes"]
        _run([*command, f"--dest={folder}", f"--requirement={wanted}"])
        Path(folder, archive.name).replace(archive)


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.CalledProcessError as error:
        raise SourceUnavailableError(f"pip says: {error.stderr.strip()}") from error
    except subprocess.TimeoutExpired as error:
        raise SourceUnavailableError(f"pip took longer than {PATIENCE} s") from error
