"""The settings of the section ``serving``."""

from __future__ import annotations

import pytest

from buttress.errors import ConfigError
from buttress.serving import ServingSettings
from tests.services import Make


def test_defaults_fit() -> None:
    """The defaults have no problems."""
    assert list(ServingSettings().problems()) == []


@pytest.mark.parametrize("host", ["", " "])
def test_empty_host(host: str) -> None:
    """An empty HOST is a problem, since it would mean all interfaces."""
    assert list(ServingSettings(host=host).problems()) == [
        "HOST is empty: give an address, or leave it unset for the default."
    ]


@pytest.mark.parametrize("key", ["START_TIMEOUT", "DRAIN_GRACE", "DRAIN_TIMEOUT"])
def test_longest_times(make: Make, key: str) -> None:
    """A start and a drain take a day at most."""
    with pytest.raises(ConfigError, match=f"{key}.*86400"):
        make(extensions=[], **{key: 86401})


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
