"""Directories that are down, slow or broken."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any

import pytest

from buttress import Unavailable
from buttress.auth.ldap import connection, pool
from buttress.auth.ldap import users as ldap
from buttress.auth.ldap.address import parsed
from buttress.auth.ldap.settings import LdapSettings
from buttress.auth.ldap.users import LdapUsers
from buttress.auth.users import User
from buttress.lifecycle import Deadline
from tests.auth.ldap.directory import directory_at
from tests.auth.ldap.fake import BIND, DONE, SEARCH, fake_ldap, person, result, tlv, willing
from tests.private import private_server
from tools.services.place import free_port

#: Seconds that a question may take here, and that it may be late on a busy machine.
TIMEOUT, LATE = 0.3, 1.5


def make_users(url: str, **settings: object) -> LdapUsers:
    """Give the users of a directory that is asked for a short time only."""
    return LdapUsers(parsed(url), LdapSettings(**{"timeout": TIMEOUT, **settings}))


def outage(users: LdapUsers) -> float:
    """Log in where that must fail, and give the seconds that it took."""
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        users.authenticate("ann", "x")
    assert caught.value.retry_after > 0
    return time.monotonic() - began


def test_a_directory_that_is_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that broke are replaced unnoticed; while it is down it is unavailable."""
    with private_server("slapd", monkeypatch) as server, directory_at(server.url) as directory:
        directory.person("ann", "x")
        with directory.users() as users:
            assert users.authenticate("ann", "x") is not None
            server.kill()
            outage(users)
            server.start()
            assert users.authenticate("ann", "x") is not None
            server.stop()
            server.start()
            assert users.get("ann") is not None
            directory.reconnect()


def test_nothing_listens_there() -> None:
    """A directory that is not there is unavailable at once."""
    with closing(make_users(f"ldap://127.0.0.1:{free_port()}/dc=x")) as users:
        assert outage(users) < LATE


@contextmanager
def black_hole() -> Iterator[Any]:
    """Give an address that does not even refuse a connection."""
    with ExitStack() as stack:
        hole = stack.enter_context(socket.socket())
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(hole.getsockname())
        yield hole.getsockname()


def test_a_name_with_several_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that does not answer leaves time for the next; all have the one timeout."""
    lookup = socket.getaddrinfo
    with fake_ldap() as fake, black_hole() as hole:
        alive = ("127.0.0.1", parsed(fake.url).port)
        addresses = [hole, alive]

        def named(host: str, *rest: Any, **more: Any) -> list[Any]:
            if host != "ldap.example":
                return lookup(host, *rest, **more)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", it) for it in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", named)
        with closing(make_users("ldap://ldap.example/dc=x", starttls="never")) as users:
            assert users.get("ann") is not None
        addresses = [hole] * 20
        with closing(make_users("ldap://ldap.example/dc=x", starttls="never")) as users:
            assert TIMEOUT <= outage(users) < TIMEOUT + LATE


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_a_directory_that_says_nothing(scheme: str) -> None:
    """A directory that takes the connection and is silent is given up in time."""
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as silent,
        closing(make_users(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/dc=x")) as users,
    ):
        assert TIMEOUT <= outage(users) < TIMEOUT + LATE


def test_a_directory_that_is_silent_after_the_search() -> None:
    """Search and login together have the one timeout."""

    def answer(tag: int, content: bytes) -> list[bytes]:
        if tag == SEARCH:
            time.sleep(TIMEOUT / 2)
            return [person(), result(DONE, 0)]
        return []

    with fake_ldap(answer) as fake, closing(make_users(fake.url)) as users:
        assert outage(users) < TIMEOUT + LATE
        assert BIND in fake.seen


def test_a_directory_that_never_ends() -> None:
    """However often it sends a little, it is given up in time."""
    with closing(socket.create_server(("127.0.0.1", 0))) as tarpit:

        def stutter() -> None:
            with closing(tarpit.accept()[0]) as taken:
                for octet in tlv(0x30, bytes(100)):
                    time.sleep(TIMEOUT / 20)
                    try:
                        taken.sendall(bytes([octet]))
                    except OSError:
                        return

        server = threading.Thread(target=stutter)
        server.start()
        with closing(make_users(f"ldap://127.0.0.1:{tarpit.getsockname()[1]}/dc=x")) as users:
            assert outage(users) < TIMEOUT + LATE
        server.join()


def test_an_answer_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that sends more than an answer can have is not listened to."""
    monkeypatch.setattr(connection, "LONGEST_ANSWER", 100_000)
    endless = [person(description=bytes(60_000))] * 100
    with fake_ldap(lambda *_: endless) as fake, closing(make_users(fake.url, timeout=5)) as users:
        assert outage(users) < 5


def test_what_is_no_ldap() -> None:
    """Whatever a server sends, it is an outage and no other error."""
    chance = random.Random(7)

    def answer(tag: int, content: bytes) -> list[bytes]:
        number = content[: 2 + content[1]]
        octets = bytearray(tlv(0x30, number + person()) + tlv(0x30, number + result(DONE, 0)))
        for _ in range(chance.randint(1, 4)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        fake.raw(bytes(octets))
        return []

    with fake_ldap(answer) as fake, closing(make_users(fake.url, timeout=0.02)) as users:
        for _ in range(300):
            with suppress(Unavailable):
                users.get("ann")


def test_a_request_that_waits_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline of a request shortens the timeout."""
    monkeypatch.setattr(ldap, "current_deadline", lambda: Deadline(TIMEOUT))
    with (
        fake_ldap(lambda *_: []) as fake,
        closing(make_users(fake.url, timeout=60)) as users,
    ):
        assert outage(users) < TIMEOUT + LATE


def test_searches_at_the_same_time() -> None:
    """No more connections search at once than the pool has; who has to wait too long is told."""
    busy = threading.Semaphore(0)

    def answer(tag: int, content: bytes) -> list[bytes]:
        busy.acquire(timeout=10)
        return willing(tag, content)

    with (
        fake_ldap(answer) as fake,
        closing(make_users(fake.url, pool=2, timeout=10)) as users,
        ThreadPoolExecutor(3) as threads,
    ):
        asked = [threads.submit(users.get, "ann") for _ in range(2)]
        while len(fake.seen) < 2:
            time.sleep(0.005)
        patient, users._settings = users._settings, LdapSettings(timeout=0.05)
        with pytest.raises(Unavailable) as caught:
            users.get("ann")
        users._settings = patient
        assert "all 2 connections" in str(caught.value.__cause__)
        busy.release(1000)
        assert all(isinstance(it.result(), User) for it in asked)
        assert isinstance(users.get("ann"), User)
        assert fake.connections == 2


def test_a_search_is_asked_again_once() -> None:
    """A question that a new connection does not answer either is an outage."""
    lives = iter([True, False, False])

    def answer(tag: int, content: bytes) -> list[bytes]:
        if tag == SEARCH and not next(lives):
            fake.hang_up()
            return []
        return willing(tag, content)

    with fake_ldap(answer) as fake, closing(make_users(fake.url, timeout=5)) as users:
        assert users.get("ann") is not None
        with pytest.raises(Unavailable):
            users.get("ann")
        assert fake.seen.count(SEARCH) == 3


def test_a_notice_of_disconnection() -> None:
    """A directory that says goodbye in between is asked anew."""
    goodbye = tlv(
        0x30, b"\x02\x01\x00" + tlv(0x78, result(0, 52)[2:] + tlv(0x8A, b"1.3.6.1.4.1.1466.20036"))
    )
    says = iter([False, True, False])

    def answer(tag: int, content: bytes) -> list[bytes]:
        if tag == SEARCH and next(says):
            fake.raw(goodbye)
            return []
        return willing(tag, content)

    with fake_ldap(answer) as fake, closing(make_users(fake.url, timeout=5)) as users:
        assert users.get("ann") is not None
        assert users.get("ann") is not None


def test_connections_are_kept() -> None:
    """Searches go over one connection, and each login has one of its own, which ends with it."""
    with fake_ldap() as fake:
        with closing(make_users(fake.url)) as users:
            for _ in range(3):
                assert users.authenticate("ann", "x") is not None
            assert fake.connections == 4
            fake.wait(3)
        fake.wait(4)


def test_a_fork_has_connections_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child process does not talk over what is its parent's, nor ends it."""
    with fake_ldap() as fake, closing(make_users(fake.url)) as users:
        assert users.get("ann") is not None
        parents = users._pool._idle[0]
        with monkeypatch.context() as child:
            child.setattr(pool.os, "getpid", lambda: -1)
            assert users.get("ann") is not None
            assert fake.connections == 2
        parents.close()


def test_what_is_closed_stays_closed() -> None:
    """A connection that comes back after the end is closed, too."""
    with fake_ldap() as fake:
        users = make_users(fake.url)
        asking = threading.Event()

        def answer(tag: int, content: bytes) -> list[bytes]:
            asking.set()
            users.close()
            return willing(tag, content)

        fake.answer = answer
        assert users.get("ann") is not None
        assert asking.is_set()
        fake.wait(1)
