"""Passwords: hashed by Argon2id (RFC 9106), a few at a time, and verified without surprises."""

from __future__ import annotations

import logging
import os
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Literal, TypeGuard, TypeVar

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHashError, VerifyMismatchError

from buttress.auth.settings import FLOOR, AuthSettings
from buttress.auth.users import LONGEST_PASSWORD, is_password
from buttress.errors import ConfigError, Unavailable
from buttress.web import current_deadline

logger = logging.getLogger("buttress.auth")

T = TypeVar("T")

#: The version of Argon2 that RFC 9106 describes; 18 was before.
VERSION = 19


class TurnsHasher(PasswordHasher):
    """argon2-cffi's hasher, which computes only so many hashes at the same time.

    Each takes ``ARGON2_MEMORY_COST``, so this caps the memory of logins. They are computed in
    threads of their own, because malloc keeps what a thread has once used. What waits for its turn
    too long raises `Unavailable`.
    """

    def __init__(self, settings: AuthSettings) -> None:
        super().__init__(
            time_cost=settings.argon2_time_cost,
            memory_cost=settings.argon2_memory_cost,
            parallelism=settings.argon2_parallelism,
            hash_len=settings.argon2_hash_len,
            salt_len=settings.argon2_salt_len,
            encoding=settings.argon2_encoding,
            type=Type.ID,
        )
        self._wait = settings.argon2_wait
        self._at_once = settings.argon2_at_once
        self._threads = self._none_yet()
        self._pid = os.getpid()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Hash a password, in its turn."""
        return self._in_turn(partial(super().hash, password, salt=salt))

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        """Verify a password, in its turn; raises argon2-cffi's errors where it is not right."""
        return self._in_turn(partial(super().verify, hash, password))

    def close(self) -> None:
        """End the threads; a later hash begins new ones."""
        threads, self._threads = self._threads, self._none_yet()
        threads.shutdown()

    def _none_yet(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._at_once, thread_name_prefix="argon2")

    def _in_turn(self, compute: Callable[[], T]) -> T:
        if self._pid != os.getpid():  # threads do not come along in a fork
            self._threads, self._pid = self._none_yet(), os.getpid()
        turn = self._threads.submit(compute)
        try:
            return turn.result(self._left)
        except TimeoutError:
            if turn.cancel():
                raise Unavailable("Too many logins at once.", retry_after=1) from None
        return turn.result()

    @property
    def _left(self) -> float:
        deadline = current_deadline()
        return self._wait if deadline is None else max(0.0, min(self._wait, deadline.left()))


class Passwords:
    """Hash passwords, and tell whether they are right.

    Outside of development, parameters below the floor raise `ConfigError`; there they are warned
    of.
    """

    def __init__(self, settings: AuthSettings, mode: str) -> None:
        problems = below_floor(settings)
        if problems and mode != "development":
            raise ConfigError(problems)
        if problems:
            logger.warning("Passwords are hashed too weakly for production: %s", " ".join(problems))
        #: argon2-cffi's own interface: its ``verify`` raises where ours is ``False``.
        self.hasher = TurnsHasher(settings)
        self._nobodys = _nobodys_hash(self.hasher)

    def hash(self, password: str) -> str:
        """Hash a password for being kept.

        Raises `ValueError` for one that is empty, too long, or not of the encoding, and
        `Unavailable` where too many are being hashed.
        """
        if not password:
            raise ValueError("Password cannot be empty")
        if not isinstance(password, str):
            raise TypeError(f"A password is a str, not {type(password).__name__}.")
        if not self.takes(password):
            encoding = self.hasher.encoding
            raise ValueError(f"A password has at most {LONGEST_PASSWORD} characters of {encoding}.")
        return self.hasher.hash(password)

    def verify(self, hash: object, password: object) -> bool:
        """Tell whether a password is right; ``False`` too for what is no password or no hash.

        It raises nothing but `Unavailable`, where too many are being hashed.
        """
        if not isinstance(hash, str) or not self.takes(password):
            return False
        try:
            return self.hasher.verify(hash, password)
        except (VerifyMismatchError, InvalidHashError, UnicodeError):
            return False
        except Argon2Error as error:
            logger.warning("A password could not be verified: %s", error)
            return False

    def takes(self, password: object) -> TypeGuard[str]:
        """Tell whether this can be a password at all; nothing else costs the time of a hash."""
        if not is_password(password):
            return False
        try:
            password.encode(self.hasher.encoding)
        except UnicodeError:
            return False
        return True

    def needs_rehash(self, hash: str) -> bool:
        """Tell whether a hash should be made anew, at a login: one that is weaker than new ones.

        One that is stronger in memory or passes stays; the number of lanes does not matter. What
        is no Argon2id of RFC 9106 is always made anew.
        """
        try:
            found = extract_parameters(hash)
        except InvalidHashError:
            return True
        if found.type is not Type.ID or found.version != VERSION:
            return True
        ours = self.hasher
        if found.memory_cost > ours.memory_cost or found.time_cost > ours.time_cost:
            return False
        return (
            found.memory_cost < ours.memory_cost
            or found.time_cost < ours.time_cost
            or found.hash_len < ours.hash_len
            or found.salt_len < ours.salt_len
        )

    def burn(self) -> None:
        """Take as long as `verify` does, where there is no hash to verify."""
        self.verify(self._nobodys, "password")

    def close(self) -> None:
        """End the threads that compute."""
        self.hasher.close()


def below_floor(settings: AuthSettings) -> list[str]:
    """Name the parameters of Argon2 that are too weak for passwords of production."""
    return [
        f"ARGON2_{name.upper()}={found} is below {least}: leave it out, or raise it."
        for name, least in FLOOR.items()
        if (found := getattr(settings, f"argon2_{name}")) < least
    ]


def _nobodys_hash(hasher: PasswordHasher) -> str:
    """Make up a hash with the present parameters; no password is known to give it."""
    salt, hashed = (_plain_base64(os.urandom(it)) for it in (hasher.salt_len, hasher.hash_len))
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={VERSION}${costs}${salt}${hashed}"


def _plain_base64(value: bytes) -> str:
    return b64encode(value).rstrip(b"=").decode()
