"""How a rule ends: it names every place, or it passes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest


def expect_none(problems: Sequence[str]) -> None:
    """Fail, naming every problem on a line of its own, unless there is none."""
    if problems:
        pytest.fail("\n".join([f"{len(problems)} to mend:", *problems]), pytrace=False)
