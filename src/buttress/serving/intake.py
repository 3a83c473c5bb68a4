"""The end of a listening socket's intake, without losing a connection that was let in.

To close the socket resets the connections in its queue. So first nothing new is let in, then the
queue is accepted, and only then is the socket closed.
"""

from __future__ import annotations

import ctypes
import os
import select
import socket
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path

from buttress.lifecycle import Deadline

#: From the kernel's headers; Python's socket module lacks the first.
SO_ATTACH_FILTER = 26
_QUEUE_LENGTH = 24  # offset of tcpi_unacked in struct tcp_info: of a listener, its queue
#: Seconds between two looks at the queue, and for the first bytes of what was accepted last.
LOOK, SETTLE = 0.005, 0.1
#: The descriptors of this process.
FOLDER = Path("/proc/self/fd")


def shut(listener: socket.socket) -> None:
    """Let no new connection in, for every process that has the socket; the queue stays.

    Linux and TCP only; elsewhere nothing changes. Later clients repeat their first packet and
    find the port closed. Where the kernel keeps filters for the privileged (CAP_NET_ADMIN), the
    queue is only made as short as can be.
    """
    if not sys.platform.startswith("linux") or listener.family == socket.AF_UNIX:
        return
    drop_all = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    program = struct.pack("HL", 1, ctypes.addressof(drop_all))
    try:
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    except PermissionError:
        listener.listen(0)


def queue_length(listener: socket.socket) -> int:
    """Count the connections that wait to be accepted; 0 where the system does not tell."""
    if not sys.platform.startswith("linux") or listener.family == socket.AF_UNIX:
        return 0
    info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return int(struct.unpack_from("I", info, _QUEUE_LENGTH)[0])


def divert(descriptor: int) -> None:
    """Give a descriptor an empty queue in the place of one that other processes accept from too.

    What it has accepted already stays. Linux only, and where ``/proc`` is; elsewhere nothing
    changes.
    """
    if not sys.platform.startswith("linux") or not FOLDER.is_dir():
        return
    _unwatch(descriptor)
    with socket.socket(socket.AF_UNIX) as empty:
        empty.setblocking(False)
        empty.bind("")  # a name that the kernel chooses, and that is in no folder (unix(7))
        empty.listen(1)
        os.dup2(empty.fileno(), descriptor, inheritable=False)


def _unwatch(descriptor: int) -> None:
    """Take a descriptor out of every epoll instance of this process.

    Such an instance watches the socket, which lives on in other processes, and not its number: it
    would go on waking the server, by a pointer to what the server has freed (epoll(7), Q6).
    """
    for each in FOLDER.iterdir():
        with suppress(OSError):  # not watched there, or closed meanwhile
            if str(each.readlink()) == "anon_inode:[eventpoll]":
                with select.epoll.fromfd(os.dup(int(each.name))) as instance:
                    instance.unregister(descriptor)


def settle(listener: socket.socket, deadline: Deadline) -> None:
    """Wait until the queue is accepted and its last requests have begun to be read."""
    while queue_length(listener) and not deadline.passed:
        time.sleep(LOOK)
    time.sleep(min(SETTLE, deadline.left()))
