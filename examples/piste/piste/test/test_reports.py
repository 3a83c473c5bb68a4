"""``/reports``, and what becomes of a report."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from buttress import Service
from piste.test.constants import CLOSED_PISTE, PROBLEM
from piste.test.patience import until


def snow(client: FlaskClient) -> object:
    """Give the depth of the snow as the API tells it."""
    return client.get(f"/pistes/{CLOSED_PISTE}").get_json()["snow_cm"]


def test_is_ingested(client: FlaskClient) -> None:
    """A report is taken at once, and shown a moment later."""
    before = client.get(f"/pistes/{CLOSED_PISTE}").get_json()
    report = {"piste": CLOSED_PISTE, "snow_cm": 40, "groomed": True}
    answer = client.post("/reports", json=report)
    assert (answer.status_code, list(answer.get_json())) == (202, ["message"])
    until(lambda: snow(client) == 40)
    after = client.get(f"/pistes/{CLOSED_PISTE}").get_json()
    assert after["groomed"]
    assert after["reported_at"] > before["reported_at"]


def test_grooming_may_be_left_out(client: FlaskClient) -> None:
    """A report that says nothing of grooming leaves it as it was."""
    client.patch(f"/pistes/{CLOSED_PISTE}", json={"groomed": True})
    client.post("/reports", json={"piste": CLOSED_PISTE, "snow_cm": 41})
    until(lambda: snow(client) == 41)
    assert client.get(f"/pistes/{CLOSED_PISTE}").get_json()["groomed"]


def test_unknown_piste(client: FlaskClient) -> None:
    """A report on a piste that does not exist is not taken."""
    answer = client.post("/reports", json={"piste": "nowhere", "snow_cm": 3})
    assert (answer.status_code, answer.content_type) == (404, PROBLEM)


@pytest.mark.parametrize("report", [{}, {"piste": "couloir"}, {"piste": "couloir", "snow_cm": -1}])
def test_refuses_other_reports(client: FlaskClient, report: object) -> None:
    """What is no report is unprocessable."""
    assert client.post("/reports", json=report).status_code == 422


@pytest.mark.parametrize("body", ['{"piste": "nowhere", "snow_cm": 3}', "much snow"])
def test_dead_letters(service: Service, body: str) -> None:
    """A message on an unknown piste, or that is no report, is a dead letter with its reason."""
    broker = service.queues.broker
    service.queues.send("snow-reports", body)
    until(lambda: broker.depth("snow-reports").dead)
    (dead,) = broker.peek("snow-reports", limit=5, dead=True)
    assert dead.body == body
    assert dead.reason


def test_older_report_comes_late(service: Service, client: FlaskClient) -> None:
    """A report that is overtaken by a later one changes nothing."""
    from piste.app.reports.services import Report, ingest  # reads the database's settings

    with service.app_context():
        ingest(Report(piste=CLOSED_PISTE, snow_cm=7), at=1.0)
        service.db.session.commit()
    assert snow(client) is None
