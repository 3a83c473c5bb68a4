"""Where a test says which server it needs: absent, it skips on a laptop and fails under CI."""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from typing import NoReturn

import pytest

from tools.services.__main__ import SERVERS, urls


def require_server(name: str) -> None:
    """Skip the test when the server ``name`` is not installed; fail it where ``CI`` is ``true``."""
    if importlib.util.find_spec(name) is None:
        miss(f"{name} is not installed; `make setup` installs it on Linux")


def server_url(name: str) -> str:
    """Give the URL of a server that `tools/services` starts, such as ``postgres``.

    `make test` starts them all; without one the test skips, or fails where ``CI`` is ``true``.
    """
    url = _url(name)
    if url is None:
        miss(f"{name} does not run; `make services-up` starts it where it can be had")
    return url


def miss(sentence: str) -> NoReturn:
    """Skip the test with this sentence; fail it where ``CI`` is ``true``."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{sentence}, and a CI run must not go without it")
    pytest.skip(sentence)


@cache
def _url(name: str) -> str | None:
    server = next(server for server in SERVERS if server.name == name)
    return urls([server]).get(server.variable)
