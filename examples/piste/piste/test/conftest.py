"""The service, started once; each test begins with the state of the data file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from secrets import token_hex, token_urlsafe

import pytest
from flask.testing import FlaskClient

from buttress import Service
from buttress.testing import make_app
from piste.app.main import app
from piste.test.patience import is_settled, until

LIFTS = "SELECT id, open FROM lift"
PISTES = "SELECT id, open, groomed, snow_cm, reported_at FROM piste"
RESTORE_LIFT = "UPDATE lift SET open = :open WHERE id = :id"
RESTORE_PISTE = (
    "UPDATE piste SET open = :open, groomed = :groomed, snow_cm = :snow_cm, "
    "reported_at = :reported_at WHERE id = :id"
)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Start the service with its consumers, on a database of its own or that of GNAR_DB_URL."""
    own = f"sqlite:///{tmp_path_factory.mktemp('piste') / 'piste.sqlite'}"
    settings = {"DB_URL": os.environ.get("GNAR_DB_URL", own), "DB_MIGRATE": "upgrade"}
    settings["JWT_SECRET_KEY"] = token_urlsafe(32)
    with make_app(app, **settings, QUEUES_WAIT=0.1, SCHEDULE_RUN=False) as made:
        made.start()
        yield made


@pytest.fixture(autouse=True)
def state(service: Service) -> Iterator[None]:
    """Wait until the messages of a test are handled, and undo what it has changed."""
    lifts, pistes = service.db.all(LIFTS), service.db.all(PISTES)
    yield
    for queue in service.config["QUEUES_NAMES"]:
        until(partial(is_settled, service, queue))
        service.queues.broker.purge(queue, dead=True)
    for row in lifts:
        service.db.run(RESTORE_LIFT, row._asdict())
    for row in pistes:
        service.db.run(RESTORE_PISTE, row._asdict())
    service.mail.outbox.clear()
    service.cache.clear()
    service.limiter.reset()


@pytest.fixture
def visitor(service: Service) -> FlaskClient:
    """Give a client of somebody who is not logged in."""
    return service.test_client()


@pytest.fixture(scope="session")
def patrol(service: Service) -> Iterator[dict[str, str]]:
    """Make a user of the patrol, and give the header by which their requests are known."""
    users, name = service.auth.users, f"patrol-{token_hex(4)}"
    users.create(name, token_urlsafe(), roles=["patrol"])
    with service.app_context():
        token = service.jwt.issue(name)["access_token"]
    yield {"Authorization": f"Bearer {token}"}
    users.delete(name)


@pytest.fixture
def client(visitor: FlaskClient, patrol: dict[str, str]) -> FlaskClient:
    """Give a client of the patrol."""
    visitor.environ_base["HTTP_AUTHORIZATION"] = patrol["Authorization"]
    return visitor
