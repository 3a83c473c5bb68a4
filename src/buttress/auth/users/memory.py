"""Users in this process alone, for tests and trials."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from buttress.auth.passwords import Passwords
from buttress.auth.users.accounts import Account, Accounts


class MemoryUsers(Accounts):
    """Keep users in a dictionary."""

    name = "memory"

    def __init__(self, passwords: Passwords, now: Callable[[], float] = time.time) -> None:
        super().__init__(passwords, now)
        self._accounts: dict[str, Account] = {}
        self._lock = threading.Lock()

    def ping(self) -> None:
        """Do nothing: it is there."""

    def close(self) -> None:
        """Forget nobody: the process may go on."""

    def _find(self, name: str) -> Account | None:
        return self._accounts.get(name)

    def _add(self, account: Account) -> bool:
        with self._lock:
            return self._accounts.setdefault(account.name, account) is account

    def _change(
        self,
        account: Account,
        values: Mapping[str, Any],
        *,
        revise: bool = False,
        only: Mapping[str, Any] | None = None,
    ) -> bool:
        with self._lock:
            found = self._accounts.get(account.name)
            if found is None or found.id != account.id:
                return False
            if any(getattr(found, name) != value for name, value in (only or {}).items()):
                return False
            revision = found.revision + revise
            self._accounts[found.name] = replace(found, **{**values, "revision": revision})
        return True

    def _remove(self, name: str) -> bool:
        with self._lock:
            return self._accounts.pop(name, None) is not None

    def _list(self, limit: int) -> list[Account]:
        with self._lock:
            return [self._accounts[name] for name in sorted(self._accounts)[:limit]]
