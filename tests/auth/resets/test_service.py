"""The routes of a service that lets users set a new password, as its documentation has them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import redirect, request

from buttress.lifecycle import Deadline
from buttress.service import Service
from tests.auth.conftest import CHEAP
from tests.rules.source import ROOT
from tests.services import Make

OLD, NEW = "Piste 7 is open", "Piste 8 is open"
PAGE = (ROOT / "docs/auth-users.md").read_text(encoding="utf-8")
ROUTES = re.search(r'^```python\n(@app.post\("/forgotten"\)\n.*?)^```$', PAGE, re.M | re.S)


@pytest.fixture
def app(make: Make) -> Service:
    """Give a service with the routes of the page, and Ann."""
    app = make(
        extensions=["log", "auth", "mail"],
        MODE="development",
        ARGON2_MEMORY_COST=CHEAP.argon2_memory_cost,
        ARGON2_TIME_COST=CHEAP.argon2_time_cost,
        MAIL_URL="memory:",
        MAIL_SENDER="desk@resort.example",
    )
    assert ROUTES is not None
    exec(ROUTES[1], {"app": app, "request": request, "redirect": redirect})  # noqa: S102  # of the page
    app.auth.users.create("ann", OLD, email="ann@a.example")
    return app


def ask(app: Service, path: str, **form: str) -> tuple[int, str]:
    """Send a form; gives the status and the text of the answer."""
    answer = app.test_client().post(path, data={"name": "ann", **form})
    app.auth.drain(Deadline(10))
    return answer.status_code, answer.text


def code_of(app: Service) -> str:
    """Give the code of the latest mail."""
    found = re.search(r"^ {4}(\S+)\s*$", app.mail.outbox[-1].message.get_content(), re.M)
    assert found is not None
    return found[1]


def test_a_new_password(app: Service) -> None:
    """Known and unknown users get one answer; who gets the mail sets a new password."""
    assert ask(app, "/forgotten") == ask(app, "/forgotten", name="nobody")
    assert [mail.recipients for mail in app.mail.outbox] == [("ann@a.example",)]
    assert ask(app, "/reset", code=code_of(app), password="")[0] == 422
    assert ask(app, "/reset", code=code_of(app), password=NEW)[0] == 302
    assert app.auth.users.authenticate("ann", NEW) is not None
    assert ask(app, "/reset", code=code_of(app), password=OLD)[0] == 422


def test_a_session_of_before(app: Service) -> None:
    """A session that was begun with the old password ends."""
    ann = app.auth.users.get("ann")
    assert ann is not None
    secret, _ = app.auth.issuer.issue(ann, kind="session", seconds=60)
    app.auth.issuer.resolve("session", "session", secret)
    ask(app, "/forgotten")
    ask(app, "/reset", code=code_of(app), password=NEW)
    with pytest.raises(Exception, match="the password was changed"):
        app.auth.issuer.resolve("session", "session", secret)


def test_guesses_are_counted(app: Service) -> None:
    """Guesses of codes are slowed down, for known and unknown users alike."""
    for name in ("ann", "nobody"):
        answers = [
            ask(app, "/reset", name=name, code=f"{number}", password=NEW) for number in range(6)
        ]
        assert [status for status, _ in answers] == [422] * 5 + [429]


@pytest.mark.parametrize("value", [7, None, ["ann"], {"ann": 1}], ids=str)
def test_what_json_may_bring(app: Service, value: Any) -> None:
    """What is no text is nobody's name, password or code."""
    with app.test_request_context():
        app.auth.send_reset(value)
        assert app.auth.check(value, OLD) is None
        assert app.auth.check("ann", value) is None
        assert app.auth.reset(value, "x", NEW) is None
        assert app.auth.reset("ann", value, NEW) is None
        with pytest.raises(ValueError, match="A password has"):
            app.auth.reset("ann", "x", value)


def test_a_service_without_mail(make: Make) -> None:
    """A service that cannot send mail says so."""
    app = make(extensions=["log", "auth"])
    with pytest.raises(AttributeError, match="has no 'mail'"):
        app.auth.send_reset("ann")
