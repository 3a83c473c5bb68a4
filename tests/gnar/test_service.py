"""A Gnar app is a service: what every service has, it has too."""

from __future__ import annotations

import pytest

from .conftest import Make


def test_request_id(make: Make) -> None:
    """Every answer has the id of its request, an error too."""
    client = make().test_client()
    given = {"X-Request-Id": "snow-1"}
    answers = [client.get(path, headers=given) for path in ("/user/get", "/nowhere")]
    assert [it.headers["X-Request-Id"] for it in answers] == ["snow-1", "snow-1"]


@pytest.mark.parametrize("path", ["/__lbheartbeat__", "/__heartbeat__", "/__version__", "/livez"])
def test_health(make: Make, path: str) -> None:
    """The health routes answer, and not in Gnar's shape."""
    answer = make().test_client().get(path)
    assert answer.status_code == 200
    assert "error" not in answer.text


def test_security_headers(make: Make) -> None:
    """Answers have the plain security headers."""
    answer = make().test_client().get("/user/get")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
