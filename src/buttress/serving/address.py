"""The address of a service, and the one socket that listens on it."""

from __future__ import annotations

import errno
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from buttress.errors import ServerError

if TYPE_CHECKING:
    from buttress.service import Service

UNIX = "unix:"


def host_of(app: Service) -> str:
    """Give HOST, an IPv6 address without its brackets.

    Where it is unset: all interfaces in production and loopback elsewhere.
    """
    given = app.settings.serving.host
    if given is not None:
        return given[1:-1] if given.startswith("[") and given.endswith("]") else given
    return "0.0.0.0" if app.mode == "production" else "127.0.0.1"  # noqa: S104  # the design's


def listen(host: str, port: int, backlog: int) -> socket.socket:
    """Open the socket that listens on an address, or on the file of ``unix:/path``.

    Raises `ServerError` where the address is taken, forbidden, or not of this machine.
    """
    try:
        listener = _bound_file(host) if host.startswith(UNIX) else _bound(host, port)
    except OSError as error:
        raise ServerError(_refusal(host, port, error)) from error
    listener.listen(backlog)
    return listener


def close_listener(listener: socket.socket) -> None:
    """Stop listening; the file of a UNIX socket is removed."""
    name = listener.getsockname()
    listener.close()
    if isinstance(name, str):
        Path(name).unlink(missing_ok=True)


def url_of(listener: socket.socket) -> str:
    """Write where a socket listens as people type it, such as ``http://127.0.0.1:8000``."""
    name = listener.getsockname()
    return f"{UNIX}{name}" if isinstance(name, str) else _url(*name[:2])


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _bound(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it. Without it an answer that is sent in two parts waits 40 ms for
        # the client's delayed acknowledgement of the first (RFC 9293, 3.7.4).
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def _bound_file(host: str) -> socket.socket:
    path = host.removeprefix(UNIX)
    _remove_stale(Path(path))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(path)
    except OSError:
        listener.close()
        raise
    return listener


def _remove_stale(path: Path) -> None:
    """Remove a socket file on which nobody listens any more; another file stays in the way."""
    if not path.exists() or not stat.S_ISSOCK(path.stat().st_mode):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if probe.connect_ex(str(path)) == errno.ECONNREFUSED:
            path.unlink()


def _refusal(host: str, port: int, error: OSError) -> str:
    where = host if host.startswith(UNIX) else _url(host, port)
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use: stop what listens there, or choose another HOST or PORT."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{where} is not allowed to this user: choose a PORT above 1023."
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{where}: HOST is no address of this machine."
    return f"{where} cannot be listened on: {error.strerror}."
