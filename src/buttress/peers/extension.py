"""The extension ``peers``: other services as ``app.peer(name)``, the world as ``app.external``."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from requests import PreparedRequest

from buttress.boot import planned
from buttress.errors import ConfigError
from buttress.extension import Extension
from buttress.peers.address import Addresses, Known, variable_part
from buttress.peers.breaker import Breaker
from buttress.peers.budget import Budget
from buttress.peers.circuit import ByHost, Circuit
from buttress.peers.guard import Guard
from buttress.peers.guarded import GuardedTransport
from buttress.peers.peer import Calls, External, Peer
from buttress.peers.settings import PeersSettings
from buttress.peers.transport import Transport

if TYPE_CHECKING:
    from buttress.service import Service

#: Variables by which requests is told of other certificates.
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Peers:
    """What ``app.peers`` is: the peers by name, and the world outside."""

    def __init__(
        self, addresses: Addresses, settings: PeersSettings, deadline_header: str = ""
    ) -> None:
        self._addresses = addresses
        self._settings = settings
        self._deadline_header = deadline_header
        self._public = next((it for name in CA_VARIABLES if (it := os.environ.get(name))), True)
        self._timeouts = (settings.connect_timeout, settings.read_timeout)
        self._lock = threading.Lock()
        self._found: dict[str, tuple[Known, Peer]] = {}
        self._circuits: dict[str, Circuit] = {}
        self._hosts = ByHost(self._circuit)
        guard = Guard(settings.allowed_addresses, private=settings.external_private)
        self._outside = GuardedTransport(guard, self._hosts, settings.retries, settings.pool_size)
        self._transports: list[Transport] = [self._outside]
        outside = {"http://": self._outside, "https://": self._outside}
        #: The world outside, which is ``app.external`` too.
        self.external = External(Calls(outside, self._timeouts, self._public))
        #: Gives the Authorization header for the identity of the current request, or ``None``
        #: where its route is not protected; set by the extension that knows.
        self.authorize: Callable[[], str | None] | None = None

    def peer(self, name: str) -> Peer:
        """Find another service by name; this is ``app.peer`` too.

        Raises `UnknownPeer`, a ValueError, where nothing says where it is.
        """
        known = self._addresses.known(name)
        found = self._found.get(variable_part(name))
        if found is not None and found[0] == known:
            return found[1]
        return self._meet(name, known)

    def report(self) -> dict[str, Any]:
        """Describe the circuits of the peers that were used, and of hosts that fail."""
        with self._lock:
            circuits = list(self._circuits.values())
        return {it.name: it.report() for it in (*circuits, *self._hosts.failing())}

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for transport in self._transports:
                transport.close()

    def _meet(self, name: str, known: Known) -> Peer:
        key = variable_part(name)
        with self._lock:
            found = self._found.get(key)
            if found is None or found[0] != known:
                found = self._found[key] = (known, self._new(name, key, known))
        return found[1]

    def _new(self, name: str, key: str, known: Known) -> Peer:
        address = self._addresses.url(name, known)
        circuit = self._circuits[key] = self._circuit(name)
        transport = Transport(lambda _: circuit, self._settings.retries, self._settings.pool_size)
        # One of a former address may still be in use: it is closed with the others.
        self._transports.append(transport)
        adapters = {
            # Where a peer sends elsewhere, the world outside begins.
            "http://": self._outside,
            "https://": self._outside,
            _origin(address): transport,
        }
        calls = Calls(adapters, self._timeouts, self._settings.ca_file or self._public)
        return Peer(name, address, calls, self._authorization, self._deadline_header)

    def _circuit(self, name: str) -> Circuit:
        settings = self._settings
        breaker = Breaker(name, settings.breaker_failures, settings.breaker_seconds)
        return Circuit(breaker, Budget(settings.retry_budget))

    def _authorization(self) -> str | None:
        return self.authorize() if self.authorize is not None else None


class PeersExtension(Extension[PeersSettings, Peers]):
    """Call other services and the world outside, with timeouts, retries and circuit breakers."""

    name = "peers"
    settings = PeersSettings
    provides = ("peer", "external")

    def build(self, app: Service, settings: PeersSettings) -> Peers:
        """Make it; connections are made by the first call."""
        if settings.ca_file is not None and not Path(settings.ca_file).is_file():
            raise ConfigError([f"PEERS_CA_FILE={settings.ca_file!r}: there is no such file."])
        prefix = "" if app.mode == "production" else f"{planned(app).env_prefix}_"
        addresses = Addresses(settings.addresses, prefix, os.environ)
        web = getattr(app.settings, "web", None)
        header = web.request_deadline_header if web is not None else ""
        return Peers(addresses, settings, header)

    def check(self, it: Peers) -> dict[str, Any]:
        """Show the circuits; a peer that is down is no reason to be down as well."""
        return it.report()

    def close(self, it: Peers) -> None:
        """Close every connection."""
        it.close()


def _origin(address: str) -> str:
    """Give the scheme and host of an address with a slash, written as requests does."""
    request = PreparedRequest()
    request.prepare_url(f"{address}/", None)
    return urljoin(request.url or "", "/")
