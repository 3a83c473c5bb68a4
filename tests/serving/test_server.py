"""The table of servers."""

from __future__ import annotations

import sys

import pytest

from buttress.errors import ServerError
from buttress.serving import SERVERS, ServingSettings, server_named
from tests.servers import require_server

IN_SETTINGS = set(ServingSettings.__struct_fields__)


@pytest.mark.parametrize("name", SERVERS)
def test_servers(name: str) -> None:
    """Every server can be made, and ignores only settings that there are."""
    if name != "development":
        require_server(name)
    server = server_named(name)
    assert callable(server.serve)
    assert server.ignores <= IN_SETTINGS


def test_unknown_server() -> None:
    """A name that is like no other lists all of them."""
    with pytest.raises(ServerError, match="There are: granian, gunicorn, bjoern, development"):
        server_named("apache")


@pytest.mark.parametrize("name", ["gunicorn", "bjoern"])
def test_server_that_is_not_installed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose package is missing names the extra to install."""
    for module in [it for it in sys.modules if it.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(sys.modules, f"buttress.serving.{name}", raising=False)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ServerError, match=rf"pip install 'buttress\[{name}\]'"):
        server_named(name)
