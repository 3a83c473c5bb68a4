"""``/lifts``."""

from __future__ import annotations

from flask.testing import FlaskClient

from piste.test.constants import CLOSED_LIFT, OPEN_LIFT, PROBLEM, UNREACHABLE_PISTE


def test_filters(client: FlaskClient) -> None:
    """A query keeps the lifts that meet every criterion."""
    lifts = client.get("/lifts?kind=chairlift&open=true").get_json()
    assert [lift["id"] for lift in lifts] == ["combe", "lac-noir"]


def test_shows_one(client: FlaskClient) -> None:
    """A lift is shown with everything known of it."""
    assert client.get(f"/lifts/{OPEN_LIFT}").get_json() == {
        "id": "combe",
        "name": "Combe Chairlift",
        "kind": "chairlift",
        "bottom_m": 1760,
        "top_m": 2210,
        "open": True,
    }


def test_unknown(client: FlaskClient) -> None:
    """A lift that does not exist is not found."""
    answer = client.get("/lifts/nowhere")
    assert (answer.status_code, answer.content_type) == (404, PROBLEM)


def test_opens_the_way(client: FlaskClient) -> None:
    """Once its lift is open, a piste can be opened."""
    assert client.patch(f"/lifts/{CLOSED_LIFT}", json={"open": True}).get_json()["open"]
    answer = client.patch(f"/pistes/{UNREACHABLE_PISTE}", json={"open": True})
    assert answer.status_code == 200


def test_stays_for_open_pistes(client: FlaskClient) -> None:
    """A lift cannot close while pistes of it are open; the answer names them."""
    answer = client.patch(f"/lifts/{OPEN_LIFT}", json={"open": False})
    assert (answer.status_code, answer.get_json()["pistes"]) == (409, ["combe", "edelweiss"])
    assert client.get(f"/lifts/{OPEN_LIFT}").get_json()["open"]


def test_closes_after_its_pistes(client: FlaskClient) -> None:
    """A lift closes once its pistes are closed."""
    for piste in ("combe", "edelweiss"):
        client.patch(f"/pistes/{piste}", json={"open": False})
    assert client.patch(f"/lifts/{OPEN_LIFT}", json={"open": False}).status_code == 200


def test_refuses_other_changes(client: FlaskClient) -> None:
    """Only the state of a lift can be changed."""
    answer = client.patch(f"/lifts/{OPEN_LIFT}", json={"open": True, "kind": "gondola"})
    assert answer.status_code == 422
