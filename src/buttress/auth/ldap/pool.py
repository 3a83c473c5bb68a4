"""The connections by which a directory is searched."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from buttress.auth.ldap.connection import LdapConnection, LdapFailure
from buttress.lifecycle import Deadline

T = TypeVar("T")


class LdapPool:
    """Lend connections, at most ``size`` at a time, each to one thread at a time."""

    def __init__(self, make: Callable[[Deadline], LdapConnection], size: int) -> None:
        self._make = make
        self._size = size
        self._closed = False
        self._renew()

    def ask(self, question: Callable[[LdapConnection], T], deadline: Deadline) -> T:
        """Ask over a connection, anew over another where an old one turns out to be broken.

        Raises `LdapFailure` where there is no answer, or none is free in time.
        """
        if self._pid != os.getpid():
            self._renew()
        with self._turn(deadline):
            old = self._idle_one()
            if old is not None:
                with suppress(LdapFailure):
                    return self._asked(old, question, deadline)
                # Those that lie idle are as old as the one that failed.
                self._drop()
            return self._asked(self._make(deadline), question, deadline)

    def close(self) -> None:
        """Close those that are idle now, and the others once they come back."""
        self._closed = True
        while (idle := self._idle_one()) is not None:
            idle.close()

    def _asked(
        self,
        connection: LdapConnection,
        question: Callable[[LdapConnection], T],
        deadline: Deadline,
    ) -> T:
        try:
            connection.within(deadline)
            answer = question(connection)
        except BaseException:
            connection.drop()
            raise
        self._idle.append(connection)
        if self._closed:
            self.close()
        return answer

    def _idle_one(self) -> LdapConnection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _drop(self) -> None:
        while (idle := self._idle_one()) is not None:
            idle.drop()

    @contextmanager
    def _turn(self, deadline: Deadline) -> Iterator[None]:
        turns = self._turns
        if not turns.acquire(timeout=deadline.left()):
            raise LdapFailure(f"all {self._size} connections that search are in use")
        try:
            yield
        finally:
            turns.release()

    def _renew(self) -> None:
        """Begin without connections; in a fork they are the parent's."""
        self._pid = os.getpid()
        self._idle: deque[LdapConnection] = deque()
        self._turns = threading.BoundedSemaphore(self._size)
