"""Mail as files in a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from buttress import Unavailable, Unhealthy
from buttress.mail import Mail
from tests.mail.conftest import SENDER
from tests.services import Make


@pytest.fixture
def mail(make: Make) -> Mail:
    """Give a mail that writes into the instance folder."""
    return make(extensions=["mail"], MAIL_SENDER=SENDER, MAIL_URL="folder:").mail


@pytest.fixture
def folder(mail: Mail, tmp_path: Path) -> Path:
    """Give the folder that it writes to."""
    return next(iter(tmp_path.glob("**/instance")), tmp_path / "instance") / "mail"


def test_a_mail_is_a_file(mail: Mail, folder: Path) -> None:
    """It is in the instance folder, has the envelope at its top, and is for its owner alone."""
    mail.send(to="ann@a.example", bcc="bob@b.example", subject="Hello", text="x")
    (file,) = folder.iterdir()
    assert file.suffix == ".eml"
    head = b"X-Sender: info@shop.example\r\nX-Receiver: ann@a.example\r\nX-Receiver: bob@b.example"
    assert file.read_bytes().startswith(head + b"\r\nFrom: Shop <info@shop.example>\r\n")
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_files_sort_by_time(mail: Mail, folder: Path) -> None:
    """The names of the files tell the order of the mails."""
    for number in range(20):
        mail.send(to="ann@a.example", subject=str(number), text="x")
    subjects = [file.read_bytes().partition(b"Subject: ")[2] for file in sorted(folder.iterdir())]
    assert [int(it.partition(b"\r")[0]) for it in subjects] == list(range(20))


def test_nothing_is_made_before_a_mail(mail: Mail, folder: Path) -> None:
    """A service that sends no mail has no folder for it."""
    assert not folder.exists()


def test_a_mail_that_cannot_be_written_leaves_nothing(
    mail: Mail, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is 503, and no half file stays."""

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable):
        mail.send(to="ann@a.example", subject="Hello", text="x")
    with pytest.raises(Unhealthy, match="No space left"):
        mail.check()
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_a_file_is_unhealthy(mail: Mail, folder: Path) -> None:
    """The check says what is in the way."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.touch()
    with pytest.raises(Unhealthy, match="File exists"):
        mail.check()


def test_the_check_leaves_nothing(mail: Mail, folder: Path) -> None:
    """It writes, and takes it away again."""
    assert mail.check() == {"backend": "folder", "folder": str(folder)}
    assert list(folder.iterdir()) == []
