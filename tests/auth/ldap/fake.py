"""A directory that answers as a test says, also what no directory should."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

#: Tags of operations (RFC 4511), as the first octet of a message has them after its id.
BIND, SEARCH, EXTENDED, UNBIND = 0x60, 0x63, 0x77, 0x42
BOUND, ENTRY, DONE, REFERENCE, EXTENDED_DONE = 0x61, 0x64, 0x65, 0x73, 0x78

Answer = Callable[[int, bytes], list[bytes]]


def tlv(tag: int, content: bytes) -> bytes:
    """Write an element in BER."""
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def result(tag: int, code: int, text: str = "") -> bytes:
    """Write the result of an operation."""
    return tlv(tag, tlv(0x0A, bytes([code])) + tlv(4, b"") + tlv(4, text.encode()))


def entry(dn: str, values: Mapping[str, bytes]) -> bytes:
    """Write an entry that was found."""
    pairs = (tlv(4, it.encode()) + tlv(0x31, tlv(4, value)) for it, value in values.items())
    attributes = b"".join(tlv(0x30, pair) for pair in pairs)
    return tlv(ENTRY, tlv(4, dn.encode()) + tlv(0x30, attributes))


def person(name: str = "ann", **values: bytes) -> bytes:
    """Write the entry of somebody."""
    given = {"uid": name.encode(), "entryUUID": f"id-{name}".encode(), **values}
    return entry(f"uid={name},ou=people,dc=x", given)


class FakeLdap:
    """Answer each operation with what a function gives for its tag and content; note the tags."""

    def __init__(self, listener: socket.socket, answer: Answer) -> None:
        self._listener = listener
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.answer = answer
        self.tls: ssl.SSLContext | None = None
        self.seen: list[int] = []
        self.contents: list[bytes] = []
        self.connections = 0
        self._server = threading.Thread(target=self._serve)
        self._server.start()

    @property
    def url(self) -> str:
        """Give its address."""
        return f"ldap://127.0.0.1:{self._listener.getsockname()[1]}/ou=people,dc=x"

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                taken = self._listener.accept()[0]
                self._open.append(taken)
                self.connections += 1
                thread = threading.Thread(target=self._talk, args=(taken,))
                self._threads.append(thread)
                thread.start()

    def raw(self, octets: bytes) -> None:
        """Send octets over the newest connection."""
        with suppress(OSError):
            self._open[-1].sendall(octets)

    def hang_up(self) -> None:
        """End the newest connection."""
        self._open[-1].shutdown(socket.SHUT_RDWR)

    def wait(self, ended: int) -> None:
        """Wait until so many connections have ended. Fails where they do not."""
        end = time.monotonic() + 5
        while sum(not it.is_alive() for it in self._threads) < ended:
            assert time.monotonic() < end, "a connection is still open"
            time.sleep(0.005)

    def close(self) -> None:
        """End all that it does."""
        _end(self._listener)
        self._server.join()
        for each in self._open:
            _end(each)
        for thread in self._threads:
            thread.join()

    def _talk(self, taken: socket.socket) -> None:
        with suppress(OSError, IndexError):
            if self.tls is not None:
                taken = self.tls.wrap_socket(taken, server_side=True)
                self._open.append(taken)
            while message := _message(taken):
                number, tag, content = message
                self.seen.append(tag)
                self.contents.append(content)
                if tag == UNBIND:
                    return
                for operation in self.answer(tag, content):
                    taken.sendall(tlv(0x30, number + operation) if operation else b"")


def _end(it: socket.socket) -> None:
    with suppress(OSError):
        it.shutdown(socket.SHUT_RDWR)
    it.close()


def _message(taken: socket.socket) -> tuple[bytes, int, bytes] | None:
    """Read one message: its id as it is, the tag of its operation, and all of it."""
    head = taken.recv(2, socket.MSG_WAITALL) if not isinstance(taken, ssl.SSLSocket) else b""
    head = head or taken.recv(2)
    if len(head) < 2:
        return None
    size = head[1]
    if size > 127:
        size = int.from_bytes(taken.recv(size - 128), "big")
    content = b""
    while len(content) < size:
        content += taken.recv(size - len(content))
    number = content[: 2 + content[1]]
    return number, content[len(number)], content


def willing(tag: int, content: bytes) -> list[bytes]:
    """Find Ann, and let everybody in."""
    if tag == BIND:
        return [result(BOUND, 0)]
    return [person(), result(DONE, 0)] if tag == SEARCH else []


@contextmanager
def fake_ldap(answer: Answer = willing) -> Iterator[FakeLdap]:
    """Start one."""
    fake = FakeLdap(socket.create_server(("127.0.0.1", 0)), answer)
    try:
        yield fake
    finally:
        fake.close()
