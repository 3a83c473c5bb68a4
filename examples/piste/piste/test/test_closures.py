"""Closures, and the mails that tell of them."""

from __future__ import annotations

import time
from typing import NoReturn

import pytest
from flask.testing import FlaskClient

from buttress import Service
from buttress.mail import Envelope
from piste.test.constants import CLOSED_PISTE
from piste.test.patience import is_settled, until

JOB = "piste.app.closures.jobs.close_stale"


def outdate(service: Service, hours: float, *pistes: str) -> None:
    """Make the last reports on pistes so many hours old."""
    for piste in pistes:
        values = {"id": piste, "at": time.time() - hours * 3600}
        service.db.run("UPDATE piste SET reported_at = :at WHERE id = :id", values)


def fail(*_: object) -> NoReturn:
    """Be a database that refuses to commit."""
    raise RuntimeError("no commit")


def lines(mail: Envelope) -> list[str]:
    """Give the text of a mail."""
    content: str = mail.message.get_content()
    return content.splitlines()


def open_pistes(client: FlaskClient) -> set[str]:
    """Give the ids of the pistes that are open."""
    return {piste["id"] for piste in client.get("/pistes?open=true").get_json()}


def test_stale_ones_close(service: Service, client: FlaskClient) -> None:
    """Open pistes without a report for a day are closed, and the patrol has one mail of all."""
    before = open_pistes(client)
    outdate(service, 25, "genepi", "combe", CLOSED_PISTE)
    outdate(service, 23, "edelweiss")
    assert client.get("/summary").get_json()["pistes"]["open"] == 8
    assert service.schedule.run(JOB)
    assert before - open_pistes(client) == {"genepi", "combe"}
    assert client.get("/summary").get_json()["pistes"]["open"] == 6
    until(lambda: service.mail.outbox)
    (mail,) = service.mail.outbox
    assert mail.recipients == ("patrol@val-sereine.example",)
    assert mail.message["Subject"] == "2 pistes are closed"
    assert lines(mail) == ["Closed, no report for 24 hours:", "", "- Genepi", "- Combe"]


def test_fresh_ones_stay(service: Service, client: FlaskClient) -> None:
    """Where every report is fresh nothing closes, and nobody has a mail."""
    before = open_pistes(client)
    assert service.schedule.run(JOB)
    assert open_pistes(client) == before
    assert list(service.mail.outbox) == []


def test_closing_by_hand(service: Service, client: FlaskClient) -> None:
    """A piste that is closed by hand is announced, once."""
    for _ in range(2):
        assert client.patch("/pistes/genepi", json={"open": False}).status_code == 200
    until(lambda: service.mail.outbox)
    until(lambda: is_settled(service, "closures"))
    (mail,) = service.mail.outbox
    assert mail.message["Subject"] == "A piste is closed"
    assert lines(mail) == ["Closed, by hand:", "", "- Genepi"]


def test_no_mail_without_closure(
    service: Service, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the closure is not committed, nobody is told of it."""
    outdate(service, 25, "genepi")
    before = open_pistes(client)
    monkeypatch.setattr(service.db.session_class, "commit", fail)
    with pytest.raises(RuntimeError):
        service.schedule.run(JOB)
    monkeypatch.undo()
    assert open_pistes(client) == before
    assert is_settled(service, "closures")
