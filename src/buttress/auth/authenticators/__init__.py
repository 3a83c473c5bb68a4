"""What an authenticator must offer: it turns a request into who makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from buttress.auth.principal import Principal

if TYPE_CHECKING:
    from flask import Request


class Note(NamedTuple):
    """What an authenticator saw in a request; it holds no secret."""

    by: str
    text: str


class Trace(list[Note]):
    """What the authenticators saw, in order; for the log and ``buttress auth why``."""

    def note(self, by: str, text: str) -> None:
        """Note what an authenticator saw."""
        self.append(Note(by, text))


class Refused(Exception):
    """Raised when a request has credentials and they are wrong, for a reason for the log alone.

    ``by`` is the authenticator that says so, and ``error`` the code of RFC 6750, 3.1 that its
    challenge carries, where there is one.
    """

    def __init__(self, by: str, reason: str, error: str | None = None) -> None:
        super().__init__(reason)
        self.by = by
        self.error = error


class Authenticator(Protocol):
    """Recognise who makes a request by one kind of credentials. Any thread may call it."""

    #: Its word in ``AUTH_AUTHENTICATORS``.
    name: str

    def authenticate(self, request: Request, trace: Trace) -> Principal | None:
        """Give who makes the request; ``None`` where it has no credentials of this kind.

        Raises `Refused` for credentials that are wrong, and `Unavailable` where what would know
        is down. What it sees goes into ``trace``.
        """

    def challenge(self, refused: Refused | None) -> str | None:
        """Give its ``WWW-Authenticate`` (RFC 9110, 11.6.1), after its own refusal where given.

        ``None`` is for what no client can be asked for in that way, such as a session.
        """
