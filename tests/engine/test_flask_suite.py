"""Flask's own tests, run on `flask.Flask` and on `Service`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.engine.flask_suite.exceptions import EXCEPTIONS
from tests.engine.flask_suite.run import Run, run
from tests.engine.flask_suite.source import SourceUnavailableError, unpacked

ENOUGH = 480
"""Tests that must pass on Flask, or the comparison says nothing."""
COMPILED = 350
"""Requests, of about 445, that Service must answer without Flask's own ``wsgi_app``."""


@pytest.fixture(scope="module")
def suite(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of Flask's source; skip without it on a laptop and fail in CI."""
    assert pytestconfig.cache is not None
    kept_in = pytestconfig.cache.mkdir("flask-source")
    try:
        return unpacked(kept_in, tmp_path_factory.mktemp("flask"))
    except SourceUnavailableError as error:
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say(f"Flask's tests are not to be had: {error}")


@pytest.fixture(scope="module")
def runs(suite: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """Run Flask's tests on Flask, then on Service."""
    folder = tmp_path_factory.mktemp("outcomes")
    return run("flask.app:Flask", suite, folder), run("buttress.service:Service", suite, folder)


def test_what_passes_on_flask_passes_on_service(runs: tuple[Run, Run]) -> None:
    """Every test of Flask's that passes on Flask passes on Service, but for the listed ones."""
    on_flask, on_service = runs
    assert len(on_flask.passed) >= ENOUGH
    assert on_service.application == "buttress.service:Service"
    broken = on_flask.passed - on_service.passed - EXCEPTIONS.keys()
    assert not broken, on_service.describe(broken)


def test_exceptions_are_needed(runs: tuple[Run, Run]) -> None:
    """Each listed exception has a reason, passes on Flask and fails on Service."""
    on_flask, on_service = runs
    assert all(EXCEPTIONS.values())
    assert EXCEPTIONS.keys() - (on_flask.passed - on_service.passed) == set()


def test_requests_take_the_compiled_way(runs: tuple[Run, Run]) -> None:
    """Most requests of Flask's tests are answered by the engine, and few are left to Flask."""
    on_flask, on_service = runs
    assert on_flask.calls["Flask"] == on_service.calls["Service"]
    assert on_service.calls["Service"] - on_service.calls.get("Flask", 0) >= COMPILED
