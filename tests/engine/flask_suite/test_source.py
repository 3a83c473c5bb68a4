from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.engine.flask_suite.source import SourceUnavailableError, fetch, is_genuine, locked

LOCK = """\
click==8.5.1 \\
    --hash=sha256:00
flask==3.1.3 \\
    --hash=sha256:11 \\
    --hash=sha256:22
    # via buttress
flask-cors==6.0.5 \\
    --hash=sha256:33
"""


def test_requirement_has_its_hashes() -> None:
    """The requirement is the lock's, with its own hashes and no others."""
    expected = "flask==3.1.3 \\\n    --hash=sha256:11 \\\n    --hash=sha256:22"
    assert locked(LOCK, "3.1.3") == expected


@pytest.mark.parametrize("release", ["3.1", "3.1.30", "3.2.0"])
def test_other_release_is_refused(release: str) -> None:
    """A release that is not the locked one is not looked for."""
    with pytest.raises(SourceUnavailableError, match=f"Flask {release} is not what dev.txt locks"):
        locked(LOCK, release)


def test_changed_archive_is_not_genuine(tmp_path: Path) -> None:
    """An archive counts only while its hash is a locked one."""
    archive = tmp_path / "flask.tar.gz"
    requirement = f"flask==3.1.3 --hash=sha256:{hashlib.sha256(b'tests').hexdigest()}"
    assert not is_genuine(archive, requirement)
    archive.write_bytes(b"tests")
    assert is_genuine(archive, requirement)
    archive.write_bytes(b"other tests")
    assert not is_genuine(archive, requirement)


def test_failure_of_pip_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pip says of a failure is in the error, and no file is left."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(SourceUnavailableError, match="No matching distribution found for flask"):
        fetch(f"flask==3.1.3 --hash=sha256:{'0' * 64}", tmp_path / "flask-3.1.3.tar.gz")
    assert list(tmp_path.iterdir()) == []
