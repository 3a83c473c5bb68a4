"""The extension ``mail``."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from buttress import ConfigError, Service, Unavailable, create_app
from buttress.errors import ExtensionError, MailError
from buttress.mail.backend import load
from tests.mail.conftest import SENDER
from tests.services import Make
from tools.services.place import free_port

LETTER: dict[str, Any] = {"to": "ann@a.example", "subject": "Hello", "text": "the body"}
GONE = "Mail cannot be sent at the moment."


def in_production(package: Callable[[Mapping[str, str]], Path], **config: Any) -> Service:
    """Make a service of the package ``shop`` in production."""
    package({"shop/__init__.py": ""})
    return create_app("shop", extensions=["mail"], config={"MODE": "production", **config})


def test_a_test_finds_its_mail_in_the_outbox(make: Make) -> None:
    """In mode testing mail stays in memory unless a URL is set."""
    app = make(extensions=["mail"], MAIL_SENDER=SENDER)
    given = app.mail.send(**LETTER)
    (sent,) = app.mail.outbox
    assert (sent.recipients, sent.message_id) == (("ann@a.example",), given)
    assert sent.message["Subject"] == "Hello"


def test_other_mail_has_no_outbox(make: Make) -> None:
    """The error says which URL has one."""
    with pytest.raises(MailError, match="only MAIL_URL=memory: has an outbox"):
        _ = make(extensions=["mail"], MAIL_URL="folder:").mail.outbox


def test_production_is_told_that_mail_reaches_nobody(
    package: Callable[[Mapping[str, str]], Path], caplog: pytest.LogCaptureFixture
) -> None:
    """The start warns where mail goes into a folder that nobody asked for."""
    for config, warnings in (({}, 1), ({"MAIL_URL": "folder:"}, 0)):
        caplog.clear()
        app = in_production(package, **config)
        app.lifecycle.start()
        app.close()
        told = [it for it in caplog.records if "reaches nobody: set MAIL_URL" in it.message]
        assert (app.mail.scheme, len(told)) == ("folder", warnings)


def test_a_sender_is_needed(make: Make) -> None:
    """It is a setting or an argument, and the argument wins."""
    mail = make(extensions=["mail"]).mail
    with pytest.raises(MailError, match="set MAIL_SENDER, or give sender="):
        mail.send(**LETTER)
    mail.send(**LETTER, sender="desk@shop.example")
    assert mail.outbox[0].sender == "desk@shop.example"


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"MAIL_URL": "http://mail.example"}, "MAIL_URL must begin with smtp://"),
        ({"MAIL_SENDER": "Shop"}, "MAIL_SENDER='Shop' is no address"),
        ({"MAIL_SENDER": "a@b.example\nX: y"}, "MAIL_SENDER=.* holds a newline"),
        ({"MAIL_DOMAIN": "shop_example"}, "MAIL_DOMAIN=.* is no address"),
        ({"MAIL_CA_FILE": "/no/such/file"}, "MAIL_CA_FILE: there is no file"),
        ({"MAIL_TIMEOUT": 0}, "MAIL_TIMEOUT"),
    ],
)
def test_a_wrong_setting_stops_the_boot(make: Make, config: dict[str, Any], problem: str) -> None:
    """The error names the setting and what is wrong."""
    with pytest.raises(ConfigError, match=problem):
        make(extensions=["mail"], **config)


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    """Without boto3 there is no SES, and the error says how to get it."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    for name in ("buttress.mail.ses", "buttress.aws"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(ExtensionError, match=r"pip install 'buttress\[aws\]'"):
        make(extensions=["mail"], MAIL_URL="ses://eu-west-1")


def test_a_fault_of_our_own_is_no_missing_package() -> None:
    """A module of ours that is missing is shown as it is."""
    with pytest.raises(ModuleNotFoundError):
        load("buttress.mail.pigeon", "birds")


def test_a_server_that_is_down_answers_503(make: Make) -> None:
    """The client is told when to come again, and nothing of the server."""
    url = f"smtp://127.0.0.1:{free_port()}"
    app = make(extensions=["web", "mail"], MAIL_SENDER=SENDER, MAIL_URL=url)
    app.add_url_rule("/send", "send", lambda: app.mail.send(**LETTER))
    answer = app.test_client().get("/send")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json is not None
    assert answer.json["detail"] == GONE


def test_a_request_waits_no_longer_than_its_deadline(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of the request's time bounds what the server may take."""
    settings = {"REQUEST_DEADLINE": 2.0, "MAIL_TIMEOUT": 9.0}
    app = make(extensions=["web", "mail"], MAIL_SENDER=SENDER, **settings)
    given: list[float] = []
    backend = app.mail._backend
    monkeypatch.setattr(backend, "send", lambda _, seconds: given.append(seconds) or "<1@x>")
    app.add_url_rule("/send", "send", lambda: app.mail.send(**LETTER))
    app.test_client().get("/send")
    app.mail.send(**LETTER)
    assert 1.0 < given[0] <= 2.0
    assert given[1] == 9.0


def test_the_log_tells_who_and_what_but_no_text(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """A mail that is sent is one record with its id; subject and text are in none."""
    caplog.set_level(logging.DEBUG, "buttress.mail")
    given = make(extensions=["mail"], MAIL_SENDER=SENDER).mail.send(**LETTER)
    (record,) = [it for it in caplog.records if it.name == "buttress.mail"]
    assert record.getMessage() == f"mail from info@shop.example to ann@a.example is sent: {given}"
    assert record.levelname == "INFO"


def test_a_failure_is_logged_without_the_password(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """The record says why the mail is not sent."""
    url = f"smtp://buttress:flock-of-sheep@127.0.0.1:{free_port()}"
    mail = make(extensions=["mail"], MAIL_SENDER=SENDER, MAIL_URL=url).mail
    with pytest.raises(Unavailable):
        mail.send(**LETTER)
    (record,) = [it for it in caplog.records if it.name == "buttress.mail"]
    assert (record.levelname, "Connection refused" in record.message) == ("ERROR", True)
    assert "flock-of-sheep" not in caplog.text
    assert "the body" not in caplog.text


def test_the_heartbeat_shows_the_check(make: Make) -> None:
    """The backend and its details are shown."""
    app = make(extensions=["web", "health", "mail"])
    answer = app.test_client().get("/__heartbeat__").json
    assert answer is not None
    assert answer["checks"]["mail"]["details"] == {"backend": "memory", "kept": 0}


def test_a_plain_mail_needs_no_package() -> None:
    """Neither boto3 nor smtplib is imported by a service that writes mail into a folder."""
    code = "import sys, buttress.mail; print({'boto3', 'smtplib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
