from __future__ import annotations

import pytest

from buttress import Deadline
from buttress.web import Edge, install_errors, install_hooks
from tests.services import Make


def test_draining_sends_clients_away(make: Make) -> None:
    """While draining every answer says ``Connection: close``; before, none does."""
    app = make()
    client = app.test_client()
    assert "Connection" not in client.get("/").headers
    app.lifecycle.drain(Deadline(1))
    assert client.get("/").headers["Connection"] == "close"
    assert client.get("/livez").headers["Connection"] == "close"


def test_without_web_flask_answers(make: Make) -> None:
    """Without the extension, errors and headers are Flask's own."""
    app = make(extensions=[])
    answer = app.test_client().get("/nothing")
    assert answer.mimetype == "text/html"
    assert sorted(answer.headers.keys()) == ["Content-Length", "Content-Type"]


def test_installing_without_web_does_nothing(make: Make) -> None:
    """The two functions that a façade calls do nothing where ``web`` is not built."""
    app = make(extensions=["log"])
    install_hooks(app)
    install_errors(app)
    assert isinstance(app.edge, Edge)
    assert app.edge.finishers == []
    assert app.error_handler_spec[None][None] == {}


def test_handler_from_before_the_boot_stays(make: Make) -> None:
    """An error handler that is there already is not replaced."""
    app = make()
    app.error_handler_spec[None][None] = {Exception: lambda _error: ("mine", 404)}
    install_errors(app)
    assert app.test_client().get("/nothing").text == "mine"


@pytest.mark.parametrize(
    ("mode", "expected"), [("development", False), ("testing", None), ("production", None)]
)
def test_propagation(make: Make, mode: str, expected: bool | None) -> None:
    """Only in development is propagation turned off; elsewhere Flask's rule holds."""
    assert make(MODE=mode).config["PROPAGATE_EXCEPTIONS"] is expected


def test_chosen_propagation_stays(make: Make) -> None:
    """Whoever sets PROPAGATE_EXCEPTIONS has it so in development too."""
    assert make(MODE="development", PROPAGATE_EXCEPTIONS=True).config["PROPAGATE_EXCEPTIONS"]


def test_two_services_do_not_mix(make: Make) -> None:
    """Two services in one process have each its own style of errors."""
    first, second = make("first"), make("second", ERRORS_STYLE="gnar")
    assert first.test_client().get("/nothing").status_code == 404
    answer = second.test_client().get("/nothing")
    assert (answer.status_code, answer.get_json()["code"]) == (200, "not_found")
