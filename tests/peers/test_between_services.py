"""Two services that run as their users run them: processes, served by granian."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.peers.other import unused_address
from tests.serving.running import RUN, Running

PACKAGE = """
from flask import request

from buttress import create_app


def make():
    app = create_app("shop", extensions=["log", "web", "health", "peers"])

    @app.get("/heard")
    def heard():
        return dict(request.headers)

    @app.get("/ask")
    def ask():
        return app.peer("piste").get("/heard").json()

    return app
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Give a function that starts the service and waits until it is ready."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text(PACKAGE)
    (tmp_path / "run.py").write_text(RUN)
    started: list[Running] = []

    def start(**settings: Any) -> Running:
        settings = {"SHOP_REQUEST_DEADLINE_HEADER": "X-Deadline", **settings}
        started.append(Running(tmp_path, ["run.py"], settings))
        return started[-1].until_ready()

    yield start
    for running in started:
        running.end()


def test_id_and_deadline_go_from_service_to_service(start: Callable[..., Running]) -> None:
    """The second service has the request id of the first one's request, and what time is left."""
    piste = start()
    lift = start(PISTE_SERVICE_PORT="{}:{}".format(*piste.address))
    answer = lift.ask("/ask", headers={"X-Request-Id": "ski-7", "X-Deadline": "5"})
    heard = json.loads(answer.body)
    assert (answer.headers["x-request-id"], heard["X-Request-Id"]) == ("ski-7", "ski-7")
    assert 0 < float(heard["X-Deadline"]) < 5
    assert '"rid":"ski-7"' in piste.text()


def test_service_outlives_its_peer(start: Callable[..., Running]) -> None:
    """With its peer down a service answers 503 there, and goes on to be healthy."""
    lift = start(PISTE_SERVICE_PORT=unused_address(), SHOP_PEERS_BREAKER_FAILURES=3)
    refused = [lift.ask("/ask") for _ in range(5)]
    assert [it.status for it in refused] == [503] * 5
    assert refused[-1].headers["retry-after"] == "10"
    beat = lift.ask("/__heartbeat__")
    assert (beat.status, lift.ask("/readyz").status) == (200, 200)
