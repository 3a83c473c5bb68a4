"""A client of the service, with the state of the data file for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from piste.app.main import app


@pytest.fixture(scope="session", autouse=True)
def booted() -> Iterator[None]:
    """Boot the service once, and close it after the last test."""
    app.boot()
    yield
    app.close()


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    """Give a client; what its test changes is undone."""
    from piste.app.area import area  # reads the configuration, so it follows the boot

    lifts, pistes = dict(area.lifts), dict(area.pistes)
    yield app.test_client()
    area.lifts.update(lifts)
    area.pistes.update(pistes)
