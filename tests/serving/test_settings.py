"""The settings of the section ``serving``."""

from __future__ import annotations

import pytest

from buttress.serving import ServingSettings


def test_defaults_fit() -> None:
    """The defaults have no problems."""
    assert list(ServingSettings().problems()) == []


def test_unknown_server() -> None:
    """An unknown server is a problem that names the nearest."""
    assert list(ServingSettings(server="granain").problems()) == [
        "SERVER: There is no server 'granain'. Did you mean 'granian'?"
    ]


@pytest.mark.parametrize(("grace", "timeout", "count"), [(5, 5, 1), (6, 5, 1), (4, 5, 0)])
def test_grace_within_the_timeout(grace: float, timeout: float, count: int) -> None:
    """The grace must end before the timeout, which includes it."""
    settings = ServingSettings(drain_grace=grace, drain_timeout=timeout)
    assert len(list(settings.problems())) == count
