"""Mail that stays in the process, for tests to look at."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from buttress.mail.backend import Backend
from buttress.mail.message import Envelope
from buttress.mail.settings import MailSettings
from buttress.mail.url import MailUrl

#: Mails that are kept; older ones are forgotten.
MOST = 10_000


class MemoryBackend(Backend):
    """Keep the latest mails in ``outbox``."""

    def __init__(self, settings: MailSettings, target: MailUrl, instance: Path) -> None:
        self.outbox: deque[Envelope] = deque(maxlen=MOST)

    def send(self, envelope: Envelope, seconds: float) -> str:
        """Keep it."""
        self.outbox.append(envelope)
        return envelope.message_id

    def check(self) -> Mapping[str, Any]:
        """Tell how many there are."""
        return {"kept": len(self.outbox)}

    def close(self) -> None:
        """Forget them."""
        self.outbox.clear()
