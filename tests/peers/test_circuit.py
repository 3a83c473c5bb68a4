from __future__ import annotations

import pytest

from buttress.peers.breaker import Breaker
from buttress.peers.budget import Budget
from buttress.peers.circuit import MOST_HOSTS, ByHost, Circuit


def circuit(name: str) -> Circuit:
    return Circuit(Breaker(name, 3, 10), Budget(0.2))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://a/x", "http://a/y?z=1", True),
        ("http://a/", "http://me:word@a/", True),
        ("http://a/", "https://a/", False),
        ("http://a/", "http://a:8080/", False),
        ("http://a/", "http://b/", False),
    ],
)
def test_circuit_of_a_host(one: str, other: str, same: bool) -> None:
    """Scheme, host and port have a circuit of their own; path, query and password do not."""
    by_host = ByHost(circuit)
    assert (by_host(one) is by_host(other)) is same


def test_hosts_are_forgotten() -> None:
    """Users who name ever new hosts do not fill the memory: the oldest are forgotten."""
    by_host = ByHost(circuit)
    for number in range(MOST_HOSTS + 10):
        by_host(f"http://host-{number}/").breaker.leave(False, failed=True)
    names = [it.name for it in by_host.failing()]
    assert (len(names), names[0]) == (MOST_HOSTS, "http://host-10")
