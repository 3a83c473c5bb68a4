"""What a user backend must offer; the same on every technology."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Protocol, TypeGuard

import msgspec

from buttress.errors import ButtressError

#: A name: letters, digits and what mail addresses have, at most 128; it begins with none of ``-.``.
NAME = re.compile(r"[\w@+][\w@.+-]{0,127}")
#: The most characters of what may be normalised to a name.
LONGEST_NAME = 512
#: The most characters of a password that is looked at, so that none keeps the hasher busy.
LONGEST_PASSWORD = 1024
#: The role of users whom an OpenID provider logs in: they have no password here.
ELSEWHERE = "oidc"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person or a program with a name and a password."""

    #: What the user is known by for ever, also after a change of the name.
    id: str
    #: What they log in with; case does not matter.
    name: str
    email: str | None = None
    roles: frozenset[str] = frozenset()
    #: One that is disabled can neither log in nor use what was issued before.
    active: bool = True
    #: Rises with each change of the password and when the user is disabled: what was issued under
    #: another one holds no longer. Backends that cannot know leave it at 0.
    revision: int = 0


class Users(Protocol):
    """Know users and their passwords. Any thread may call it.

    What needs a server raises `Unavailable` while it is down. A backend that cannot write raises
    `UsersReadOnly`. Names are compared after `normal`.
    """

    #: The name of the technology.
    name: str

    def authenticate(self, name: str, password: str) -> User | None:
        """Give the user whose password this is; ``None`` for a wrong one or an unknown name.

        Both take equally long. A disabled user is ``None`` too.
        """

    def get(self, name: str) -> User | None:
        """Find a user by name; ``None`` where there is none."""

    def create(
        self, name: str, password: str, *, email: str | None = None, roles: Iterable[str] = ()
    ) -> User:
        """Make a user. Raises `UserExists`, and `ValueError` for a name that is none."""

    def update(self, name: str, **changes: Any) -> User:
        """Change ``email``, ``roles`` or ``active``. Raises `UnknownUser`."""

    def change_password(self, name: str, password: str, *, old: str | None = None) -> bool:
        """Set a password; where ``old`` is given, only if it is right, else ``False``.

        Raises `UnknownUser`.
        """

    def delete(self, name: str) -> bool:
        """Remove a user; ``False`` where there was none."""

    def info(self, name: str) -> Mapping[str, Any]:
        """Give what the backend knows of a user, never the password. Raises `UnknownUser`."""

    def all(self, limit: int = 1000) -> list[User]:
        """List users by name, at most ``limit``."""

    def ping(self) -> None:
        """Ask for an answer."""

    def close(self) -> None:
        """Let everything go."""


class UserError(ButtressError, ValueError):
    """Raised when users cannot be changed as asked."""


class UserExists(UserError):
    """Raised when a name is taken already."""


class UnknownUser(UserError):
    """Raised when there is no user of a name."""


class UsersReadOnly(UserError):
    """Raised when a backend only reads: users are made and changed elsewhere."""


NO_INFO: Mapping[str, Any] = MappingProxyType({})


def is_password(text: object) -> TypeGuard[str]:
    """Tell whether this is a text that may be a password: one that is neither empty nor too long.

    What JSON brings may be no text at all.
    """
    return isinstance(text, str) and 0 < len(text) <= LONGEST_PASSWORD


def normal(name: object) -> str:
    """Give a name as it is kept and compared: NFKC, in lower case.

    Raises `ValueError` for what is no name.
    """
    import unicodedata

    found = ""
    if isinstance(name, str) and len(name) <= LONGEST_NAME:  # this can be made to take very long
        found = unicodedata.normalize("NFKC", name).casefold()
    if not NAME.fullmatch(found):
        raise ValueError(
            "That is no name of a user: write up to 128 letters, digits and @ . + - _, and begin "
            "with a letter or a digit."
        )
    return found
