"""Where a test says which server it needs: absent, it skips on a laptop and fails under CI."""

from __future__ import annotations

import importlib.util
import os

import pytest


def require_server(name: str) -> None:
    """Skip the test when the server ``name`` is not installed; fail it where ``CI`` is ``true``."""
    if importlib.util.find_spec(name) is not None:
        return
    sentence = f"{name} is not installed; `make setup` installs it on Linux"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{sentence}, and a CI run must not go without it")
    pytest.skip(sentence)
