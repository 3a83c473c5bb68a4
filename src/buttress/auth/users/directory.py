"""The users of a service as requests need them: asked for often, with their scopes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from buttress.auth.recent import Recent
from buttress.auth.users import User, Users

#: Users that are remembered at a time.
SIZE = 10_000
#: What changes users.
CHANGES = frozenset({"create", "update", "change_password", "delete"})


class WatchedUsers:
    """A user backend as the service has it: ``changed`` is called after each change made by it."""

    def __init__(self, users: Users, changed: Callable[[], object]) -> None:
        self._users = users
        self._changed = changed

    def __getattr__(self, name: str) -> Any:
        """Give what the backend has."""
        found = getattr(self._users, name)
        return self._told(found) if name in CHANGES else found

    def _told(self, change: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(change)
        def changing(*args: Any, **kwargs: Any) -> Any:
            try:
                return change(*args, **kwargs)
            finally:
                self._changed()

        return changing


class Directory:
    """Find users by name, and what their roles let them do.

    A change elsewhere, such as one in another process, shows after ``seconds``.
    """

    def __init__(self, users: Users, roles: Mapping[str, Iterable[str]], seconds: float) -> None:
        self.users = users
        self._roles = {role: frozenset(scopes) for role, scopes in roles.items()}
        self._recent: Recent[str, tuple[User | None]] = Recent(SIZE, seconds)

    def get(self, name: str) -> User | None:
        """Find a user who may log in. Raises `Unavailable` while the backend is down."""
        user = self.look(name)
        return user if user is not None and user.active else None

    def look(self, name: str) -> User | None:
        """Find a user, also one who is disabled; ``None`` where the backend knows nobody."""
        found = self._recent.of(name, lambda: (self.users.get(name),))
        return None if found is None else found[0]

    def scopes_of(self, user: User) -> frozenset[str]:
        """Give the scopes of a user's roles; a role that the settings do not name has none."""
        nothing: frozenset[str] = frozenset()
        return nothing.union(*(self._roles.get(role, nothing) for role in user.roles))

    def forget(self, name: str | None = None) -> None:
        """Ask anew for a user, or for all, since a user may be known by several names."""
        self._recent.forget(name)
