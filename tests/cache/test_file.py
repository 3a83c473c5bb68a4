"""The cache in a folder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from buttress.cache import Cache
from buttress.cache.file import FileCache
from buttress.errors import ConfigError
from buttress.testing.contracts.cache import *  # noqa: F403  # every backend does what it says
from buttress.testing.contracts.shared_cache import *  # noqa: F403  # processes share a folder
from tests.cache.processes import compute_in_processes

#: What the file of an item that never expires begins with.
NEVER = bytes(8)


@pytest.fixture
def make_cache(cache_of: Callable[..., Cache], tmp_path: Path) -> Callable[..., Cache]:
    """Give a function that makes caches in one folder."""

    def make_cache(**settings: Any) -> Cache:
        return cache_of(CACHE_URL=f"file://{tmp_path}/items", **settings)

    return make_cache


@pytest.fixture
def files(tmp_path: Path) -> FileCache:
    """Give a bare cache of at most ten items in the folder ``items``."""
    return FileCache(tmp_path / "items", threshold=10)


def test_the_folder_is_in_the_instance_folder(cache_of: Callable[..., Cache]) -> None:
    """A relative path is relative to it; only the owner can read folder and items."""
    cache = cache_of(CACHE_URL="file:some/items")
    cache.set("lift", 1)
    folder = Path(cache.app.instance_path) / "some/items"
    (item,) = folder.iterdir()
    assert (folder.stat().st_mode & 0o777, item.stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_folder_that_cannot_be_stops_the_boot(
    cache_of: Callable[..., Cache], tmp_path: Path
) -> None:
    """A file in its place is told with its path."""
    (tmp_path / "items").write_text("")
    with pytest.raises(ConfigError, match="The cache cannot be at file:.*/items: "):
        cache_of(CACHE_URL=f"file://{tmp_path}/items")


def test_the_first_that_expire_go_when_there_are_too_many(files: FileCache) -> None:
    """There are never many more items than the threshold; what never expires goes last."""
    files.set("for ever", 0, timeout=0)
    for number in range(50):
        files.set(str(number), number, timeout=100 + number)
    kept = [number for number in range(50) if files.has(str(number))]
    assert kept == list(range(50 - len(kept), 50))
    assert len(kept) <= 10
    assert files.has("for ever")


def test_what_has_expired_is_removed(files: FileCache, tmp_path: Path) -> None:
    """Items that nobody asks for any more do not stay on the disk."""
    for number in range(9):
        files.set(str(number), number, timeout=1)
    assert until(lambda: not files.has("8"))  # noqa: F405  # of the contract
    files.set("new", 1)
    files.set("newer", 1)
    assert len(list((tmp_path / "items").iterdir())) == 2


def test_what_was_not_written_to_its_end_is_removed(files: FileCache, tmp_path: Path) -> None:
    """A process that was killed leaves a file, which goes after an hour."""
    old, young = tmp_path / "items/old.new", tmp_path / "items/young.new"
    for path in (old, young):
        path.write_text("half")
    os.utime(old, (0, time.time() - 4000))
    files.set("lift", 1)
    assert (old.exists(), young.exists()) == (False, True)


@pytest.mark.parametrize(
    "content", [b"", b"short", NEVER + b"!no pickle", NEVER + b"!cnosuch\nMoved\n."]
)
def test_a_file_that_cannot_be_read_is_a_miss(
    files: FileCache, tmp_path: Path, content: bytes
) -> None:
    """Whatever somebody has done to it, the next item replaces it."""
    files.set("lift", 1)
    next((tmp_path / "items").iterdir()).write_bytes(content)
    assert files.get("lift") is None
    files.set("lift", 2)
    assert files.get("lift") == 2


def test_a_full_disk_costs_no_request(
    make_cache: Callable[..., Cache], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What cannot be written is not kept, and no half file stays."""
    cache = make_cache()

    def full(_path: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert cache.set("lift", 1) is False
    assert cache.once("snow", 5, lambda: "sun") == "sun"
    assert list((tmp_path / "items").glob("*.new")) == []


def test_a_full_disk_leaves_what_is_there(
    make_cache: Callable[..., Cache], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Who only reads goes on reading, and one record tells of what is not kept."""
    cache = make_cache()
    cache.set("piste", 7)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    assert [cache.set("lift", 1), cache.set("lift", 2)] == [False, False]
    assert (cache.get("piste"), cache.cache.breaker.state) == (7, "closed")


def test_a_folder_that_was_deleted_is_made_again(
    make_cache: Callable[..., Cache], tmp_path: Path
) -> None:
    """Whoever tidies up costs misses, and the next item is kept."""
    for use in (
        lambda it: it.set("lift", 1),
        lambda it: it.add("lift", 1),
        lambda it: it.once("lift", 5, lambda: 1),
    ):
        cache = make_cache()
        rmtree(tmp_path / "items")
        use(cache)
        assert cache.get("lift") == 1


def test_a_lock_ends_with_its_process(make_cache: Callable[..., Cache], tmp_path: Path) -> None:
    """The system gives back the lock of a process that was killed, at once."""
    cache = make_cache()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            cache.cache.lock("snow", "dead", 60)
            os.write(writing, b"x")
            time.sleep(60)
        finally:
            os._exit(0)
    os.read(reading, 1)
    assert cache.cache.lock("snow", "ours", 60) is False
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    os.close(reading)
    os.close(writing)
    assert cache.cache.lock("snow", "ours", 60) is True
    cache.cache.unlock("snow", "ours")
    assert [path.name for path in (tmp_path / "items").iterdir()] == []


def test_adding_waits_for_whoever_adds(files: FileCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody comes between the look whether there is an item and the writing of it."""
    has = files.has

    def slowly(key: str) -> bool:
        found = has(key)
        time.sleep(0.02)
        return found

    monkeypatch.setattr(files, "has", slowly)
    found = at_once(5, lambda: files.add("lift", 1))  # noqa: F405  # of the contract
    assert sorted(found) == [False] * 4 + [True]


def test_four_processes_compute_once(package: Callable[..., Path], tmp_path: Path) -> None:
    """Of a hundred threads in four processes one computes."""
    package({"shop/__init__.py": ""})
    url = f"file://{tmp_path}/items"
    found, computed = compute_in_processes(tmp_path, url, "", count=4, threads=25)
    assert (found, computed) == (["{42}"] * 4, 1)
