"""``/pistes``."""

from __future__ import annotations

from datetime import datetime

import pytest
from flask.testing import FlaskClient

from piste.test.constants import CLOSED_PISTE, OPEN_LIFT, PROBLEM, UNREACHABLE_PISTE


def ids(client: FlaskClient, query: str) -> list[str]:
    """Give the ids of the pistes that a query finds."""
    return [piste["id"] for piste in client.get(f"/pistes{query}").get_json()]


def test_lists_all(client: FlaskClient) -> None:
    """Without a query all pistes are listed, in the order of the data file."""
    assert ids(client, "")[:3] == ["marmottes", "chamois", "retour-village"]
    assert len(ids(client, "")) == 12


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?difficulty=red&open=true", ["genepi", "edelweiss", "lac-noir"]),
        ("?groomed=false", ["genepi", "couloir", "bouquetin", "aiguille"]),
        ("?lift=aiguille", ["aiguille", "glacier"]),
        ("?lift=nowhere", []),
    ],
)
def test_filters(client: FlaskClient, query: str, expected: list[str]) -> None:
    """A query keeps the pistes that meet every criterion."""
    assert ids(client, query) == expected


@pytest.mark.parametrize("query", ["?difficulty=purple", "?open=perhaps", "?colour=red"])
def test_refuses_other_filters(client: FlaskClient, query: str) -> None:
    """A criterion that is unknown, or has no such value, is a bad request."""
    answer = client.get(f"/pistes{query}")
    assert (answer.status_code, answer.content_type) == (400, PROBLEM)


def test_shows_one(client: FlaskClient) -> None:
    """A piste is shown with everything known of it."""
    piste = client.get(f"/pistes/{CLOSED_PISTE}").get_json()
    assert datetime.fromisoformat(piste.pop("reported_at")).tzinfo is not None
    assert piste == {
        "id": "couloir",
        "name": "Couloir",
        "difficulty": "black",
        "length_m": 1380,
        "lift": OPEN_LIFT,
        "open": False,
        "groomed": False,
        "snow_cm": None,
    }


@pytest.mark.parametrize("method", ["get", "patch"])
def test_unknown(client: FlaskClient, method: str) -> None:
    """A piste that does not exist is not found, whatever is asked of it."""
    answer = client.open("/pistes/nowhere", method=method.upper(), json={"open": True})
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


def test_opens(client: FlaskClient) -> None:
    """A piste whose lift runs can be opened, and stays as groomed as it was."""
    answer = client.patch(f"/pistes/{CLOSED_PISTE}", json={"open": True})
    piste = answer.get_json()
    assert (answer.status_code, piste["open"], piste["groomed"]) == (200, True, False)
    assert client.get(f"/pistes/{CLOSED_PISTE}").get_json() == piste


def test_opening_counts_as_a_report(client: FlaskClient) -> None:
    """Who opens a piste has seen it."""
    before = client.get(f"/pistes/{CLOSED_PISTE}").get_json()
    after = client.patch(f"/pistes/{CLOSED_PISTE}", json={"open": True}).get_json()
    assert after["reported_at"] > before["reported_at"]


def test_needs_its_lift(client: FlaskClient) -> None:
    """A piste whose lift is closed cannot be opened; the answer names the lift."""
    answer = client.patch(f"/pistes/{UNREACHABLE_PISTE}", json={"open": True})
    assert (answer.status_code, answer.content_type) == (409, PROBLEM)
    assert (answer.get_json()["code"], answer.get_json()["lift"]) == ("conflict", "aiguille")
    assert not client.get(f"/pistes/{UNREACHABLE_PISTE}").get_json()["open"]


def test_groomed_without_lift(client: FlaskClient) -> None:
    """Grooming needs no lift."""
    answer = client.patch(f"/pistes/{UNREACHABLE_PISTE}", json={"groomed": False})
    assert (answer.status_code, answer.get_json()["groomed"]) == (200, False)


@pytest.mark.parametrize("body", [{}, {"open": "yes"}, {"length_m": 3}, [], {"open": None}])
def test_refuses_other_changes(client: FlaskClient, body: object) -> None:
    """A change that says nothing, or something else, is unprocessable and changes nothing."""
    before = client.get("/pistes").get_json()
    answer = client.patch(f"/pistes/{CLOSED_PISTE}", json=body)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "unprocessable_content")
    assert client.get("/pistes").get_json() == before


def test_wants_json(client: FlaskClient) -> None:
    """A body of another type, and broken JSON, are told apart."""
    place = f"/pistes/{CLOSED_PISTE}"
    assert client.patch(place, data="open=true").status_code == 415
    assert client.patch(place, data="{", content_type="application/json").status_code == 400
