"""The transport of the world outside: each address is looked at before it is connected to."""

from __future__ import annotations

import socket
from typing import Any, ClassVar
from urllib.parse import urlsplit

from requests import Response
from requests import exceptions as known
from requests.utils import get_environ_proxies, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from buttress.errors import ButtressError
from buttress.peers.guard import Guard, Refused
from buttress.peers.transport import Call, Transport

_DEFAULT_PORTS = {"http": 80, "https": 443}


class AddressRefused(ButtressError, known.InvalidURL):
    """Raised when a URL leads to an address that may not be called; nothing was sent."""

    def __init__(self, message: str, request: Any = None) -> None:
        super().__init__(message)
        self.request = request


class GuardedTransport(Transport):
    """Send requests to addresses that the guard admits, and to no others.

    The address is checked that the socket is connected to, so that a name which changes its
    address meanwhile gains nothing. Through a proxy, which resolves names itself, the addresses
    that this machine knows are checked.
    """

    def __init__(self, guard: Guard, *args: Any) -> None:
        self._guard = guard
        super().__init__(*args)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pool of connections, guarded ones."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _guarded(HTTPConnectionPool, HTTPConnection, self._guard),
            "https": _guarded(HTTPSConnectionPool, HTTPSConnection, self._guard),
        }

    def exchange(self, call: Call, timeout: Any) -> Response:
        """Send once, through the proxy of the environment where it names one."""
        url = call.request.url or ""
        proxies = call.options["proxies"] or get_environ_proxies(url, no_proxy=None)
        call.options["proxies"] = proxies
        try:
            if select_proxy(url, proxies):
                self._check_proxied(url)
            return super().exchange(call, timeout)
        except Refused as refused:
            hint = "name its network in PEERS_ALLOWED_ADDRESSES to allow it"
            raise AddressRefused(f"{refused}; {hint}.", call.request) from refused

    def _check_proxied(self, url: str) -> None:
        parts = urlsplit(url)
        # A proxy may take a number for an address in spite of a last dot, and chooses an address.
        host = (parts.hostname or "").rstrip(".")
        try:
            self._guard.admitted(host, parts.port or _DEFAULT_PORTS[parts.scheme], each=True)
        except socket.gaierror:
            # A name that only the proxy knows.
            return


class _GuardedConnection(HTTPConnection):
    guard: ClassVar[Guard]

    def _new_conn(self) -> socket.socket:
        wanted = self._dns_host
        try:
            return self._connected(self.guard.admitted(wanted, self.port))
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        finally:
            self._dns_host = wanted

    def _connected(self, addresses: list[str]) -> socket.socket:
        *others, last = addresses
        for address in others:
            self._dns_host = address
            try:
                return super()._new_conn()
            except (NewConnectionError, ConnectTimeoutError):
                # As urllib3 does: the next address may answer, and the last one's error is raised.
                continue
        self._dns_host = last
        return super()._new_conn()


def _guarded(pool: type[Any], connection: type[Any], guard: Guard) -> type[Any]:
    own = type(f"Guarded{connection.__name__}", (_GuardedConnection, connection), {"guard": guard})
    return type(f"Guarded{pool.__name__}", (pool,), {"ConnectionCls": own})
