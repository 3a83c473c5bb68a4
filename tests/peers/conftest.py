"""Other services, and what calls them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from buttress.peers import Peers, PeersSettings
from buttress.peers.address import Addresses
from tests.peers.other import Other, others
from tests.services import Make, services

Meet = Callable[..., Peers]


@pytest.fixture
def make(package: Callable[[Mapping[str, str]], Path]) -> Iterator[Make]:
    """Give a function that makes services; they are closed after the test."""
    with services(package) as make:
        yield make


@pytest.fixture
def other() -> Iterator[Callable[..., Other]]:
    """Give a function that starts other services."""
    with others() as start:
        yield start


@pytest.fixture
def meet(other: Callable[..., Other]) -> Iterator[Meet]:
    """Give a function that makes peers, the first of them ``piste``, by its address."""
    made: list[Peers] = []

    def meet(address: str = "127.0.0.1:9", **settings: Any) -> Peers:
        made.append(Peers(Addresses({"piste": address}, "", {}), PeersSettings(**settings)))
        return made[-1]

    yield meet
    for peers in made:
        peers.close()


Resolve = Callable[[Mapping[str, str]], None]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Give a function that sets what names resolve to: addresses with spaces between them."""

    def sockaddr(address: str, port: int) -> tuple[Any, ...]:
        bare, _, zone = address.partition("%")
        return (bare, port, 0, int(zone or 0)) if ":" in bare else (bare, port)

    def resolve(names: Mapping[str, str]) -> None:
        def getaddrinfo(host: str, port: int, *args: Any) -> list[tuple[Any, ...]]:
            try:
                return real(host, port, *args, 0, socket.AI_NUMERICHOST)
            except socket.gaierror:
                if host not in names:
                    raise
            found = names[host].split()
            return [(2, 1, 6, "", sockaddr(address, port)) for address in found]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    real = socket.getaddrinfo
    return resolve
