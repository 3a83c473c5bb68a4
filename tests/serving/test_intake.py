"""The end of a socket's intake."""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from buttress.lifecycle import Deadline
from buttress.serving import intake
from buttress.serving.address import listen

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the queue is Linux's")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Give a socket that listens."""
    with listen("127.0.0.1", 0, 16) as listener:
        yield listener


def test_queue_length(listener: socket.socket) -> None:
    """The queue has as many connections as were made and not accepted."""
    address = listener.getsockname()
    with socket.create_connection(address), socket.create_connection(address):
        assert intake.queue_length(listener) == 2
        listener.accept()[0].close()
        assert intake.queue_length(listener) == 1


def expect_shut(listener: socket.socket) -> None:
    """Shut a socket with one connection in its queue, which is all that is let in."""
    with socket.create_connection(listener.getsockname()) as early:
        intake.shut(listener)
        with pytest.raises(TimeoutError):
            socket.create_connection(listener.getsockname(), timeout=0.2)
        early.sendall(b"still here")
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.recv(100) == b"still here"


def test_shut(listener: socket.socket) -> None:
    """Once shut, no new connection is let in, and those in the queue can be accepted."""
    expect_shut(listener)


def test_divert(listener: socket.socket) -> None:
    """A descriptor that is diverted accepts nothing more; what shares its queue does."""
    listener.setblocking(False)
    with listener.dup() as other, socket.create_connection(listener.getsockname()):
        intake.divert(other.fileno())
        with pytest.raises(BlockingIOError):
            other.accept()
        accepted, _ = listener.accept()
        accepted.close()


def test_divert_ends_the_watch(listener: socket.socket) -> None:
    """Who watches a descriptor is not told any more of the queue that it had."""
    with listener.dup() as other, select.epoll() as watch:
        watch.register(other, select.EPOLLIN | select.EPOLLET)
        before = sorted(intake.FOLDER.iterdir())
        intake.divert(other.fileno())
        with socket.create_connection(listener.getsockname()):
            assert watch.poll(0.05) == []
        assert sorted(intake.FOLDER.iterdir()) == before


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Be somebody without capabilities; who is so already stays so."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


@pytest.mark.usefixtures("unprivileged")
def test_shut_without_privileges(listener: socket.socket) -> None:
    """Whatever the kernel allows, the queue can be accepted and hardly grows."""
    expect_shut(listener)


def test_settle(listener: socket.socket) -> None:
    """Settling waits until the queue is accepted."""
    with socket.create_connection(listener.getsockname()):
        accepting = threading.Timer(0.2, lambda: listener.accept()[0].close())
        accepting.start()
        intake.settle(listener, Deadline(5))
        assert intake.queue_length(listener) == 0
        accepting.join()


def test_settle_ends_at_the_deadline(listener: socket.socket) -> None:
    """Settling ends at the deadline, whatever is in the queue."""
    with socket.create_connection(listener.getsockname()):
        before = time.monotonic()
        intake.settle(listener, Deadline(0.2))
    assert time.monotonic() - before < 0.6
