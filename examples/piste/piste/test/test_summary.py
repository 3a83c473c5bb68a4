"""``/summary``."""

from __future__ import annotations

from flask.testing import FlaskClient

from piste.test.constants import CLOSED_PISTE


def test_counts(client: FlaskClient) -> None:
    """The summary counts lifts and pistes, and adds up what is open."""
    assert client.get("/summary").get_json() == {
        "area": "Val Sereine",
        "lifts": {"open": 4, "total": 5},
        "pistes": {"open": 8, "total": 12},
        "open_length_m": 15930,
        "by_difficulty": {
            "green": {"open": 1, "total": 1},
            "blue": {"open": 3, "total": 4},
            "red": {"open": 3, "total": 4},
            "black": {"open": 1, "total": 3},
        },
    }


def test_follows_changes(client: FlaskClient) -> None:
    """A piste that opens is counted at once, though the figures are cached."""
    assert client.get("/summary").get_json()["pistes"]["open"] == 8
    client.patch(f"/pistes/{CLOSED_PISTE}", json={"open": True})
    summary = client.get("/summary").get_json()
    assert (summary["pistes"]["open"], summary["open_length_m"]) == (9, 17310)
