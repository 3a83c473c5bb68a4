"""A cache in a folder, shared by the processes of one machine."""

from __future__ import annotations

import fcntl
import math
import os
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from buttress.cache.backend import Backend, octets

#: When the item expires, in seconds since 1970; 0: never.
HEADER = struct.Struct("<d")
ITEM, NEW, LOCK = ".item", ".new", ".lock"
#: The oldest that a file may be which somebody still writes, in seconds.
ABANDONED = 3600.0


class FileCache(Backend):
    """Keep each item in a file of its own, written whole and then put in place.

    The folder belongs to the cache. Only its owner can read it.
    """

    failures: ClassVar[tuple[type[Exception], ...]] = (OSError,)

    def __init__(
        self,
        folder: Path,
        threshold: int = 500,
        default_timeout: int = 300,
        ignore_delete_many_errors: bool = False,
    ) -> None:
        super().__init__(default_timeout, ignore_delete_many_errors)
        self._folder = folder
        self._threshold = threshold
        self._writes = 0
        self._locks: dict[str, int] = {}
        self._make_folder()

    def get(self, key: str) -> Any:
        """Give an item; ``None`` where there is none."""
        content = self._read(key)
        return None if content is None else self.serializer.loads(content)

    def has(self, key: str) -> bool:
        """Tell whether there is an item."""
        return self._read(key) is not None

    def set(self, key: str, value: Any, timeout: int | timedelta | None = None) -> bool:
        """Keep an item."""
        content = self.serializer.dumps(value) or b""
        seconds = self._normalize_timeout(timeout)
        self._prune()
        self._write(self._path(key, ITEM), seconds, content)
        return True

    def add(self, key: str, value: Any, timeout: int | timedelta | None = None) -> bool:
        """Keep an item unless there is one, in one step."""
        descriptor = self._lock_file(self._folder / f"add{LOCK}")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            return not self.has(key) and self.set(key, value, timeout)
        finally:
            os.close(descriptor)

    def delete(self, key: str) -> bool:
        """Delete an item, and tell whether there was one."""
        return _removed(self._path(key, ITEM))

    def clear(self) -> bool:
        """Delete every item."""
        for path in self._folder.glob(f"*{ITEM}"):
            _removed(path)
        return True

    def is_refusal(self, error: Exception) -> bool:
        """Tell that a folder, even on a full disk, keeps nobody waiting and may be asked again."""
        return True

    def lock(self, key: str, token: str, seconds: float) -> bool:
        """Lock a file, which the system unlocks when the process ends."""
        path = self._path(key, LOCK)
        descriptor = self._lock_file(path)
        with _closed_on_failure(descriptor):
            if _is_locked(descriptor, path):
                self._locks[token] = descriptor
                return True
        os.close(descriptor)
        return False

    def unlock(self, key: str, token: str) -> None:
        """Delete the file before it is unlocked, so that it is nobody else's by then."""
        descriptor = self._locks.pop(token, None)
        if descriptor is None:
            return
        try:
            _removed(self._path(key, LOCK))
        finally:
            os.close(descriptor)

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _lock_file(self, path: Path) -> int:
        self._make_folder()
        return os.open(path, os.O_CREAT | os.O_RDWR, 0o600)

    def _path(self, key: str, suffix: str) -> Path:
        return self._folder / f"{sha256(octets(key)).hexdigest()}{suffix}"

    def _read(self, key: str) -> bytes | None:
        try:
            found = self._path(key, ITEM).read_bytes()
        except FileNotFoundError:
            return None
        whole = len(found) >= HEADER.size
        return found[HEADER.size :] if whole and _expiry(found) > time.time() else None

    def _write(self, path: Path, seconds: int, content: bytes) -> None:
        expires = time.time() + seconds if seconds > 0 else 0.0
        self._make_folder()
        descriptor, name = tempfile.mkstemp(NEW, dir=self._folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(HEADER.pack(expires) + content)
            Path(name).replace(path)
        except BaseException:
            _removed(Path(name))
            raise

    def _prune(self) -> None:
        """Look now and then whether there are too many; the first that expire go first."""
        turn, self._writes = self._writes, self._writes + 1
        if self._threshold == 0 or turn % max(1, self._threshold // 10):
            return
        _remove_abandoned(self._folder)
        found = sorted((_expiry_of(path), path) for path in self._folder.glob(f"*{ITEM}"))
        surplus = max(0, len(found) - self._threshold + 1)
        for number, (expires, path) in enumerate(found):
            if number < surplus or expires <= time.time():
                _removed(path)


def _expiry(content: bytes) -> float:
    """Read when an item expires; infinity is never."""
    expires: float = HEADER.unpack_from(content)[0]
    return expires or math.inf


def _expiry_of(path: Path) -> float:
    with suppress(FileNotFoundError), path.open("rb") as file:
        start = file.read(HEADER.size)
        return _expiry(start) if len(start) == HEADER.size else 0.0
    return 0.0


def _remove_abandoned(folder: Path) -> None:
    """Delete what a process has begun to write and not finished."""
    for path in folder.glob(f"*{NEW}"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - ABANDONED:
                path.unlink()


def _removed(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _is_locked(descriptor: int, path: Path) -> bool:
    """Lock a file that is open, and tell whether it is ours and still the one at its place."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


@contextmanager
def _closed_on_failure(descriptor: int) -> Iterator[None]:
    try:
        yield
    except BaseException:
        os.close(descriptor)
        raise
