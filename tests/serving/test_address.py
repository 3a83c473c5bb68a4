"""The address of a service, and the socket that listens on it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from buttress import create_app
from buttress.errors import ServerError
from buttress.serving.address import close_listener, host_of, listen, url_of
from tests.services import Make

SECRET = "kG8wqP2vXz5nB7mL4tR9yH3jF6dS1aC0"


@pytest.mark.parametrize(
    ("host", "start"), [("127.0.0.1", "http://127.0.0.1:"), ("::1", "http://[::1]:")]
)
def test_url(host: str, start: str) -> None:
    """An address is written as people type it; port 0 takes a free one."""
    with listen(host, 0, 5) as listener:
        assert url_of(listener).startswith(start)
        assert not url_of(listener).endswith(":0")


def test_port_in_use() -> None:
    """A port in use is one sentence that names the address."""
    with listen("127.0.0.1", 0, 5) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ServerError, match=rf"^http://127.0.0.1:{port} is in use: "):
            listen("127.0.0.1", port, 5)


def test_port_that_was_just_left() -> None:
    """A port whose connections linger can be had again at once."""
    listener = listen("127.0.0.1", 0, 5)
    port = listener.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)):
        listener.accept()[0].close()
    listener.close()
    listen("127.0.0.1", port, 5).close()


def test_answers_do_not_wait() -> None:
    """A connection sends at once what is written, also while an acknowledgement is outstanding."""
    with (
        listen("127.0.0.1", 0, 5) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as connection,
    ):
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_foreign_host(host: str) -> None:
    """A host that is not of this machine is said so."""
    with pytest.raises(ServerError, match="HOST is no address of this machine"):
        listen(host, 8000, 5)


def test_unix_socket(tmp_path: Path) -> None:
    """The file of a UNIX socket is taken over from the dead, not from the living."""
    path = tmp_path / "shop.sock"
    listen(f"unix:{path}", 0, 5).close()
    listener = listen(f"unix:{path}", 0, 5)
    assert url_of(listener) == f"unix:{path}"
    with pytest.raises(ServerError, match="is in use"):
        listen(f"unix:{path}", 0, 5)
    close_listener(listener)
    assert not path.exists()


def test_file_in_the_way(tmp_path: Path) -> None:
    """A file that is no socket is not removed."""
    (tmp_path / "notes").write_text("keep")
    with pytest.raises(ServerError, match="is in use"):
        listen(f"unix:{tmp_path}/notes", 0, 5)
    assert (tmp_path / "notes").read_text() == "keep"


@pytest.mark.parametrize(
    ("mode", "host"),
    [("production", "0.0.0.0"), ("development", "127.0.0.1"), ("testing", "127.0.0.1")],
)
def test_default_host(package: Callable[[Mapping[str, str]], Path], mode: str, host: str) -> None:
    """Unset, HOST is all interfaces in production and loopback elsewhere."""
    package({"shop/main.py": ""})
    app = create_app("shop", config={"MODE": mode, "SECRET_KEY": SECRET}, extensions=[])
    assert host_of(app) == host
    app.close()


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_brackets(make: Make, host: str) -> None:
    """An IPv6 address may have the brackets of an URL."""
    assert host_of(make(extensions=[], HOST=host)) == "::1"
