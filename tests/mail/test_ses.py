"""Mail through Amazon SES."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from buttress import ConfigError, Unavailable, Unhealthy
from buttress.errors import MailError
from buttress.mail import Mail
from tests.mail.conftest import SENDER
from tests.services import Make
from tools.services.place import free_port


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep what this machine says of AWS out of the test."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_the_client_is_what_gnar_documents(make: Make, ses: dict[str, str]) -> None:
    """``app.get_ses_client()`` gives boto3's client by the settings, the same one each time."""
    app = make(
        extensions=["mail"], **{**ses, "MAIL_URL": "memory:", "SES_REGION_NAME": "eu-west-3"}
    )
    client = app.get_ses_client()
    assert client.meta.region_name == "eu-west-3"
    client.verify_email_identity(EmailAddress="desk@shop.example")
    sent = client.send_email(
        Source="desk@shop.example",
        Destination={"ToAddresses": ["ann@a.example"]},
        Message={"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "x"}}},
    )
    assert sent["MessageId"]
    assert app.get_ses_client() is client


def test_the_id_is_the_one_that_receivers_see(by_ses: tuple[Mail, Any]) -> None:
    """SES replaces the Message-ID, so its own is given."""
    mail, _ = by_ses
    given = mail.send(to="ann@a.example", subject="", text="")
    assert given.endswith("@eu-west-1.amazonses.com>")


def test_an_unverified_sender_is_refused(by_ses: tuple[Mail, Any]) -> None:
    """What SES will never take is an error with its reason."""
    mail, delivered = by_ses
    with pytest.raises(MailError, match="MessageRejected: Did not have authority"):
        mail.send(sender="x@elsewhere.example", to="ann@a.example", subject="", text="")
    assert delivered() == []


def test_an_address_beyond_ascii_is_refused(by_ses: tuple[Mail, Any]) -> None:
    """SES knows no SMTPUTF8."""
    with pytest.raises(MailError, match="SMTPUTF8"):
        by_ses[0].send(to="jörg@a.example", subject="", text="")


def test_a_missing_region_stops_the_boot(make: Make) -> None:
    """The error names the setting."""
    with pytest.raises(ConfigError, match="needs a region: set SES_REGION_NAME"):
        make(extensions=["mail"], MAIL_URL="ses://")


def test_a_missing_region_of_the_client_is_named(make: Make) -> None:
    """An application that sends mail otherwise hears of it when it asks for the client."""
    app = make(extensions=["mail"], MAIL_URL="memory:")
    with pytest.raises(ConfigError, match="needs a region: set SES_REGION_NAME"):
        app.get_ses_client()


def test_missing_credentials_are_unavailable(make: Make, ses: dict[str, str]) -> None:
    """Where AWS's chain of credentials ends with none, the check says so."""
    config = {"MAIL_URL": "ses://eu-west-1", "SES_ENDPOINT_URL": ses["SES_ENDPOINT_URL"]}
    mail = make(extensions=["mail"], MAIL_SENDER=SENDER, **config).mail
    with pytest.raises(Unavailable):
        mail.send(to="ann@a.example", subject="", text="")
    said = (
        "sent: Amazon SES needs credentials: set SES_ACCESS_KEY_ID .*Unable to locate credentials"
    )
    with pytest.raises(Unhealthy, match=said):
        mail.check()


def test_ses_that_is_down_is_unavailable(make: Make, ses: dict[str, str]) -> None:
    """Nothing listens there: sending is 503, and the check says so."""
    config = {**ses, "SES_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    mail = make(extensions=["mail"], MAIL_SENDER=SENDER, **config).mail
    with pytest.raises(Unavailable):
        mail.send(to="ann@a.example", subject="", text="")
    with pytest.raises(Unhealthy, match="Could not connect"):
        mail.check()


def test_the_check_tells_the_quota(by_ses: tuple[Mail, Any]) -> None:
    """The heartbeat shows how much may be sent."""
    assert by_ses[0].check()["quota"] == 200


@pytest.mark.parametrize("code", ["AccessDenied", "Throttling"])
def test_what_moto_never_answers(by_ses: tuple[Mail, Any], code: str) -> None:
    """Who may not ask for the quota may still send; a server that is busy may not be asked."""
    client = by_ses[0]._backend._client.get()  # type: ignore[attr-defined]  # of this backend
    with Stubber(client) as answers:
        answers.add_client_error("get_send_quota", code, "Not today")
        if code == "AccessDenied":
            assert by_ses[0].check() == {"backend": "ses", "quota": None}
            return
        with pytest.raises(Unhealthy, match="Throttling: Not today"):
            by_ses[0].check()


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"SES_ACCESS_KEY_ID": "AKIA"}, "belong together"),
        ({"SES_ENDPOINT_URL": "localhost:4566"}, "SES_ENDPOINT_URL must begin with http"),
        ({"SES_REGION_NAME": "eu-west-3"}, "says the region eu-west-1 and SES_REGION_NAME"),
    ],
)
def test_settings_that_do_not_fit(make: Make, config: dict[str, str], problem: str) -> None:
    """Half a key, an address that is none, and two regions stop the boot."""
    with pytest.raises(ConfigError, match=problem):
        make(extensions=["mail"], MAIL_URL="ses://eu-west-1", **config)
