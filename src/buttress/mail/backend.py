"""What carries mail away, and which such backends there are."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from buttress.errors import ExtensionError

if TYPE_CHECKING:
    from buttress.mail.message import Envelope
    from buttress.mail.settings import MailSettings
    from buttress.mail.url import MailUrl

#: Where the backends are, by the scheme of MAIL_URL.
BACKENDS = {
    "folder": "buttress.mail.folder:FolderBackend",
    "memory": "buttress.mail.memory:MemoryBackend",
    "smtp": "buttress.mail.smtp:SmtpBackend",
    "smtps": "buttress.mail.smtp:SmtpBackend",
    "ses": "buttress.mail.ses:SesBackend",
}
#: The extra of a scheme that needs a package.
EXTRAS = {"ses": "aws"}


class Backend(Protocol):
    """One way to carry mail; every method may be called by many threads at once."""

    def __init__(self, settings: MailSettings, target: MailUrl, instance: Path) -> None:
        """Open nothing; ``instance`` is the folder for what a service writes."""

    def send(self, envelope: Envelope, seconds: float) -> str:
        """Carry one mail to all its recipients or to none, in so many seconds at most.

        Gives the Message-ID that they see. Raises `MailError` where the mail is refused, and
        `OSError`, whose text says why, where it may be taken later.
        """

    def check(self) -> Mapping[str, Any]:
        """Try whether mail would be taken; gives details for the heartbeat.

        Raises `OSError`, whose text says why, where it would not.
        """

    def close(self) -> None:
        """Release everything."""


def make_backend(settings: MailSettings, target: MailUrl, instance: Path) -> Backend:
    """Make the backend of a URL; its package is imported only now.

    Raises `ExtensionError` for a package that is not installed.
    """
    module, _, attribute = BACKENDS[target.scheme].partition(":")
    made = getattr(load(module, EXTRAS.get(target.scheme, "mail")), attribute)
    return cast(Backend, made(settings, target, instance))


def load(module: str, extra: str) -> Any:
    """Import a module of a backend. Raises `ExtensionError` where its package is missing."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "buttress":
            raise
        raise ExtensionError(
            "mail",
            f"Mail by SES needs the package '{error.name}': pip install 'buttress[{extra}]'.",
        ) from error
