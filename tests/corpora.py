"""Public test vectors, which are kept beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[2] / "shared" / "corpora"


def corpus(name: str) -> Path:
    """Give a file or folder of the corpora; ``BUTTRESS_CORPORA`` names another place for them.

    Skips the test where it is missing, and fails it under ``CI=true``.
    """
    path = Path(os.environ.get("BUTTRESS_CORPORA", BESIDE)) / name
    if not path.exists():
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say(f"there is no corpus {path}")
    return path
