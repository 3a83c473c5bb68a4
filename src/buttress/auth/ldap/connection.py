"""One connection to a directory, by ldap3: bounded in time, and encrypted as it must be.

ldap3 writes and reads the messages. Sockets and TLS are our own: it would wait anew for each
packet, try each address for the whole time, and compare names of certificates by itself.
"""

from __future__ import annotations

import math
import socket
import ssl
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from msgspec import Struct

from buttress.auth.ldap.address import LdapAddress
from buttress.auth.ldap.settings import LdapSettings
from buttress.lifecycle import Deadline

with warnings.catch_warnings():
    # Its last release uses names that pyasn1 has replaced.
    warnings.simplefilter("ignore", DeprecationWarning)
    import ldap3  # type: ignore[import-untyped]  # has no types
    from ldap3.core.exceptions import LDAPException  # type: ignore[import-untyped]  # likewise
    from ldap3.operation.bind import bind_operation  # type: ignore[import-untyped]  # likewise
    from ldap3.operation.search import (  # type: ignore[import-untyped]  # likewise
        parse_filter,
    )
    from pyasn1.error import PyAsn1Error  # type: ignore[import-untyped]  # likewise

BASE, SUBTREE = ldap3.BASE, ldap3.SUBTREE
STARTTLS = "1.3.6.1.4.1.1466.20037"
#: Bytes that the answers to one question may have.
LONGEST_ANSWER = 8 * 1024 * 1024
#: Seconds that a farewell may take.
LEAVE_WITHIN = 1.0
#: What ldap3 raises when the network fails, or when what it reads is no LDAP.
FAILURES = (
    OSError,
    LDAPException,
    PyAsn1Error,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)


class LdapFailure(Exception):
    """Raised when a directory gives no answer that can be used."""


class Result(NamedTuple):
    """What a directory says of an operation (RFC 4511, 4.1.9)."""

    code: int
    text: str


class Entry(Struct, frozen=True):
    """One entry, with the values of its attributes by their names in lower case."""

    dn: str
    values: Mapping[str, Sequence[bytes]]

    def texts(self, attribute: str) -> list[str]:
        """Give the values of an attribute that are texts."""
        found = []
        for value in self.values.get(attribute.lower(), ()):
            with suppress(UnicodeDecodeError):
                found.append(value.decode())
        return found


class LdapServer:
    """Know where a directory is, and how connections to it are secured."""

    def __init__(self, address: LdapAddress, settings: LdapSettings) -> None:
        self.address = address
        always = settings.starttls == "always"
        auto = settings.starttls == "auto" and not address.is_loopback
        self.is_secure = address.scheme == "ldaps"
        self.starts_tls = not self.is_secure and (always or auto)
        uses_tls = self.is_secure or self.starts_tls
        self.tls = ssl.create_default_context(cafile=settings.ca_file) if uses_tls else None
        self.server = ldap3.Server(address.host, address.port, get_info=ldap3.NONE)


class _Wire:
    """A socket, as far as ldap3 uses one, that is done by a deadline."""

    def __init__(self, plain: socket.socket, deadline: Deadline) -> None:
        self.plain = plain
        self.renew(deadline)

    def renew(self, deadline: Deadline) -> None:
        """Begin another question."""
        self._deadline = deadline
        self._received = 0

    def sendall(self, data: bytes) -> None:
        """Send within what is left."""
        self._limit()
        self.plain.sendall(data)

    def recv(self, size: int) -> bytes:
        """Receive within what is left, and not without end."""
        self._limit()
        data = self.plain.recv(size)
        self._received += len(data)
        if self._received > LONGEST_ANSWER:
            raise OSError(f"the answer has more than {LONGEST_ANSWER} bytes")
        return data

    def shutdown(self, how: int) -> None:
        """Take leave of the other side."""
        self.plain.shutdown(how)

    def close(self) -> None:
        """Give the socket back."""
        self.plain.close()

    def encrypt(self, tls: ssl.SSLContext, host: str) -> None:
        """Go on in TLS; the certificate must be the host's."""
        self._limit()
        self.plain = tls.wrap_socket(self.plain, server_hostname=host)

    def left(self) -> float:
        """Give the seconds that are left. Raises `TimeoutError` where none are."""
        return _left(self._deadline)

    def _limit(self) -> None:
        self.plain.settimeout(self.left())


class LdapConnection:
    """Talk to a directory; one thread at a time. Every question raises `LdapFailure`."""

    def __init__(self, server: LdapServer, deadline: Deadline) -> None:
        self._address = server.address
        with self._answered():
            self._wire = _Wire(_connected(server.address, deadline), deadline)
        self._ldap = _connection(server.server, self._wire)
        try:
            self._secure(server)
        except BaseException:
            self.drop()
            raise

    def within(self, deadline: Deadline) -> None:
        """Have the next questions answered by then."""
        self._wire.renew(deadline)

    def bind(self, dn: str, password: str) -> Result:
        """Log in as an entry; the password must not be empty (RFC 4513, 5.1.2)."""
        with self._answered():
            # As bytes, since ldap3 would else refuse some and change others.
            request = bind_operation(3, ldap3.SIMPLE, dn, password.encode())
            self._ldap.post_send_single_response(self._ldap.send("bindRequest", request))
            return self._result()

    def search(
        self,
        base: str,
        text: str,
        attributes: Sequence[str],
        most: int = 0,
        scope: str = SUBTREE,
    ) -> tuple[Result, list[Entry]]:
        """Find entries by a filter, at most so many; 0 is for as many as the directory gives."""
        with self._answered():
            self._ldap.search(
                base,
                text,
                scope,
                ldap3.DEREF_NEVER,
                attributes=list(attributes),
                size_limit=most,
                time_limit=math.ceil(self._wire.left()),
            )
            return self._result(), [_entry(it) for it in self._ldap.response if "raw_dn" in it]

    def set_password(self, dn: str | None, old: str | None, new: str) -> Result:
        """Set the password of an entry, or one's own (RFC 3062); no password may be empty."""
        with self._answered():
            self._ldap.extend.standard.modify_password(
                dn, None if old is None else old.encode(), new.encode()
            )
            return self._result()

    def close(self) -> None:
        """Take leave and close."""
        self._wire.renew(Deadline(LEAVE_WITHIN))
        with suppress(*FAILURES):
            self._ldap.unbind()
        self.drop()

    def drop(self) -> None:
        """Close without a word, which is also right for the socket of a parent process."""
        self._wire.close()

    def _secure(self, server: LdapServer) -> None:
        with self._answered():
            if server.starts_tls:
                self._ldap.extended(STARTTLS)
                result = self._result()
                if result.code:
                    raise OSError(f"StartTLS is refused: {result.text}")
            if server.tls is not None:
                # A question follows the handshake at once, and would wait for its acknowledgement.
                self._wire.plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._wire.encrypt(server.tls, server.address.host)

    def _result(self) -> Result:
        said = self._ldap.result
        message = said["message"]
        return Result(said["result"], f"{said['result']} {said['description']} {message}".strip())

    @contextmanager
    def _answered(self) -> Iterator[None]:
        """Raise `LdapFailure` for all that goes wrong on the way."""
        try:
            yield
        except FAILURES as error:
            raise LdapFailure(f"{self._address}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError | LDAPException):
        return f"{error}"
    return f"what it sends is no LDAP ({type(error).__name__}: {error})"


def is_filter(text: str) -> bool:
    """Tell whether ldap3 understands a filter."""
    try:
        parse_filter(text, None, True, True, None, False)
    except LDAPException:
        return False
    return True


def _connection(server: Any, wire: _Wire) -> Any:
    """Make ldap3's part, on a socket that is open; without one it refuses to send."""
    made = ldap3.Connection(
        server, auto_bind=ldap3.AUTO_BIND_NONE, auto_referrals=False, check_names=False
    )
    made.socket, made.closed, made.listening = wire, False, True
    made.strategy._outstanding = {}
    return made


def _entry(found: Mapping[str, Any]) -> Entry:
    values = {name.lower(): them or () for name, them in found["raw_attributes"].items()}
    return Entry(found["raw_dn"].decode(), values)


def _connected(address: LdapAddress, deadline: Deadline) -> socket.socket:
    """Connect to the first of a host's addresses that answers; each has its share of the time."""
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    addresses: list[Any] = [where[:2] for *_, where in found]
    while True:
        share = _left(deadline) / len(addresses)
        try:
            return socket.create_connection(addresses.pop(0), share)
        except OSError:
            if not addresses:
                raise


def _left(deadline: Deadline) -> float:
    left = deadline.left()
    if not left:
        raise TimeoutError("timed out")
    return left
