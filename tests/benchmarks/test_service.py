"""The services that are measured are what the tables call them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from werkzeug.test import TestResponse

from benchmarks.peers.service import ORIGIN, bare, full
from buttress import Service


@pytest.fixture
def answer(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> Iterator[TestResponse]:
    """Ask the service that the parameter makes from a foreign page; the test reads its output."""
    make: Callable[[], Service] = request.param
    app = make()
    yield app.test_client().get("/items/42", headers={"Origin": ORIGIN})
    app.close()


@pytest.mark.parametrize("answer", [bare, full], indirect=True)
def test_same_answer(answer: TestResponse) -> None:
    """Both give the item as JSON."""
    assert (answer.status_code, answer.json) == (200, {"id": 42, "name": "item"})


@pytest.mark.parametrize("answer", [full], indirect=True)
def test_full(answer: TestResponse, capsys: pytest.CaptureFixture[str]) -> None:
    """The full stack sends its headers, lets the page read, and writes a record of the request."""
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert {"X-Request-Id", "X-Content-Type-Options"} <= set(answer.headers.keys())
    assert answer.headers["X-Request-Id"] in capsys.readouterr().out


@pytest.mark.parametrize("answer", [bare], indirect=True)
def test_bare(answer: TestResponse, capsys: pytest.CaptureFixture[str]) -> None:
    """The bare service sends what Flask sends, and writes nothing."""
    assert set(answer.headers.keys()) == {"Content-Type", "Content-Length"}
    assert capsys.readouterr().out == ""
