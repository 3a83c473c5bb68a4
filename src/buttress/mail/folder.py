"""Mail as files in a folder, which any mail reader opens."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from buttress.mail.backend import Backend
from buttress.mail.message import Envelope
from buttress.mail.settings import MailSettings
from buttress.mail.url import MailUrl

DEFAULT = "mail"


class FolderBackend(Backend):
    """Write each mail into a file of its own, whole or not at all, for its owner's eyes only.

    The names sort by time. ``X-Sender`` and ``X-Receiver`` at the top hold the envelope, as
    pickup folders of mail servers have it.
    """

    def __init__(self, settings: MailSettings, target: MailUrl, instance: Path) -> None:
        self.folder = Path(target.path) if target.path else instance / DEFAULT

    def send(self, envelope: Envelope, seconds: float) -> str:
        """Write it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(6)}"
        unfinished = self.folder / f".{name}.part"
        try:
            _write(unfinished, _head(envelope) + envelope.content)
            unfinished.rename(self.folder / f"{name}.eml")
        finally:
            unfinished.unlink(missing_ok=True)
        return envelope.message_id

    def check(self) -> Mapping[str, Any]:
        """Try whether a file can be written there."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = self.folder / f".{secrets.token_hex(6)}.part"
        try:
            _write(probe, b"")
        finally:
            probe.unlink(missing_ok=True)
        return {"folder": str(self.folder)}

    def close(self) -> None:
        """Do nothing: no file is left open."""


def _head(envelope: Envelope) -> bytes:
    lines = [f"X-Sender: {envelope.sender}", *(f"X-Receiver: {it}" for it in envelope.recipients)]
    return "".join(f"{line}\r\n" for line in lines).encode()


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
