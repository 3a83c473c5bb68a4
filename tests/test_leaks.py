"""The leak detector sees what tests leave behind."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import flask
import pytest

from tests import leaks
from tests.leaks import Snapshot


def test_nothing_left_behind() -> None:
    """A test that leaves nothing behind passes."""
    assert Snapshot.take().leaks() == []


def test_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that still runs is named, a daemon too."""
    monkeypatch.setattr(leaks, "PATIENCE", 0.0)
    before, end = Snapshot.take(), threading.Event()
    thread = threading.Thread(target=end.wait, name="left", daemon=True)
    thread.start()
    found = before.leaks()
    end.set()
    thread.join()
    assert found == ["thread 'left' still runs"]


def test_thread_that_is_about_to_end() -> None:
    """A thread that ends within a moment is no leak."""
    before = Snapshot.take()
    thread = threading.Timer(0.05, lambda: None)
    thread.start()
    assert before.leaks() == []


def test_contexts() -> None:
    """Pushed Flask contexts are named."""
    before = Snapshot.take()
    with flask.Flask("shop").test_request_context():
        found = before.leaks()
    assert found == [
        "a Flask request context is pushed",
        "a Flask application context is pushed",
    ]


def test_listening_socket() -> None:
    """A socket that listens is named by its address; one that does not is none of our business."""
    before = Snapshot.take()
    with socket.socket() as idle, socket.create_server(("127.0.0.1", 0)) as server:
        assert idle.fileno() > 0
        assert before.leaks() == [f"listens on {server.getsockname()}"]


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that were set, changed or removed are named, and put back."""
    monkeypatch.setenv("KEPT", "1")
    monkeypatch.setenv("REMOVED", "1")
    before = Snapshot.take()
    os.environ.update(KEPT="2", NEW="1")
    del os.environ["REMOVED"]
    assert before.leaks() == [
        f"os.environ[{name!r}] is changed" for name in ("KEPT", "NEW", "REMOVED")
    ]
    before.restore()
    assert before.leaks() == []


def test_current_folder(tmp_path: Path) -> None:
    """Another current folder is named, and put back."""
    before = Snapshot.take()
    os.chdir(tmp_path)
    assert before.leaks() == [f"the current folder is {tmp_path}, was {before.folder}"]
    before.restore()
    assert Path.cwd() == before.folder
