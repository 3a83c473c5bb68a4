"""What the Gnar document promises of a running application: database, peers, queues and mail."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from buttress import ConfigError
from buttress.queues import digest
from tests.databases import fresh_database
from tests.servers import server_url

from .conftest import Make

BODY = "The gnarliest gear in the world 🤙"


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> str:
    """Set the documented variables of SQS and SES; give the name of a queue that is there."""
    import boto3

    endpoint = server_url("moto")
    for service in ("SQS", "SES"):
        monkeypatch.setenv(f"GNAR_{service}_REGION_NAME", "eu-west-1")
        monkeypatch.setenv(f"GNAR_{service}_ACCESS_KEY_ID", "AKIA-of-moto")
        monkeypatch.setenv(f"GNAR_{service}_SECRET_ACCESS_KEY", "s3cr3t-of-moto")
        monkeypatch.setenv(f"GNAR_{service}_ENDPOINT_URL", endpoint)
    keys = {"aws_access_key_id": "AKIA-of-moto", "aws_secret_access_key": "s3cr3t-of-moto"}
    client = boto3.client("sqs", region_name="eu-west-1", endpoint_url=endpoint, **keys)
    name = f"gnar-{time.time_ns()}"
    client.create_queue(QueueName=name)
    client.close()
    return name


def test_database(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The four documented variables name the database, and the documented query works."""
    with fresh_database("postgres", tmp_path) as address:
        url = sa.make_url(address)
        monkeypatch.setenv("GNAR_PG_ENDPOINT", f"{url.host}:{url.port}")
        monkeypatch.setenv("GNAR_PG_DATABASE", str(url.database))
        monkeypatch.setenv("GNAR_PG_USERNAME", str(url.username))
        monkeypatch.setenv("GNAR_PG_PASSWORD", str(url.password))
        app = make(no_db=False)
        app.boot()
        app.db.run("CREATE TABLE foo (bar TEXT, n INTEGER)")
        app.db.run("INSERT INTO foo VALUES ('buz', 1), ('baz', 2)")
        assert app.db.one("SELECT * FROM foo WHERE bar='buz'") == ("buz", 1)
        assert app.db.one("SELECT * FROM foo WHERE bar='none'") is None
        assert app.db.all("SELECT bar FROM foo ORDER BY n") == ["buz", "baz"]
        app.close()


def test_some_of_the_variables(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only some of them is an error that names the others."""
    monkeypatch.setenv("GNAR_PG_ENDPOINT", "db.example")
    with pytest.raises(ConfigError, match="PG_ENDPOINT without PG_DATABASE, PG_USERNAME"):
        make(no_db=False).boot()


def test_no_variables(make: Make) -> None:
    """Without any of them the database is a file in the instance folder."""
    app = make(no_db=False)
    app.boot()
    assert app.db.one("SELECT 7") == 7
    assert app.db.url.database == str(Path(app.instance_path, "shop.sqlite"))


def test_no_db(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``no_db`` nothing of a database is read."""
    monkeypatch.setenv("GNAR_PG_ENDPOINT", "db.example")
    app = make(no_db=True)
    app.boot()
    with pytest.raises(AttributeError, match="shop has no 'db'"):
        _ = app.db


@pytest.mark.parametrize(
    ("production", "variable"), [(True, "PISTE_SERVICE_PORT"), (False, "GNAR_PISTE_SERVICE_PORT")]
)
def test_peer(make: Make, production: bool, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer is found by the variable of the mode."""
    monkeypatch.setenv(variable, "127.0.0.1:9")
    app = make(production=production)
    app.boot()
    with pytest.raises(Exception, match=r"(?i)piste|refused|answer"):
        app.peer("piste").get("status")


def test_peer_without_an_address(make: Make) -> None:
    """A peer that no variable names is an error that says which one to set."""
    app = make()
    app.boot()
    with pytest.raises(ValueError, match="PISTE_SERVICE_PORT"):
        app.peer("piste")


def test_external(make: Make) -> None:
    """There is a wrapper around requests for everything else."""
    app = make()
    app.boot()
    assert callable(app.external.get)


def test_send(make: Make, sqs: str) -> None:
    """A message goes to SQS, and what SQS answers is given."""
    app = make()
    app.boot()
    sent = app.send_sqs_message(sqs, BODY, delay_seconds=0)
    assert sent["MD5OfMessageBody"] == hashlib.md5(BODY.encode(), usedforsecurity=False).hexdigest()
    assert sent["MessageId"]
    assert app.get_sqs_queue_url(sqs).endswith(sqs)
    found = app.get_sqs_client().receive_message(QueueUrl=app.get_sqs_queue_url(sqs))
    assert found["Messages"][0]["Body"] == BODY


def test_poll(make: Make, sqs: str) -> None:
    """The queues in ``sqs`` are polled, and messages have the documented keys."""
    found: list[dict[str, Any]] = []
    poll = {
        "queue_name": sqs,
        "callback": found.append,
        "interval_seconds": 1,
        "attribute_names": ["All"],
        "message_attribute_names": ["All"],
        "max_number_of_messages": 10,
        "wait_time_seconds": 0,
        "visibility_timeout": 30,
    }
    app = make(sqs=poll)
    app.start()
    attributes = {
        "resort": {"DataType": "String", "StringValue": "Arosa"},
        "photo": {"DataType": "Binary", "BinaryValue": b"\x89PNG"},
    }
    sent = app.send_sqs_message(sqs, BODY, message_attributes=attributes)
    end = time.monotonic() + 10
    while not found and time.monotonic() < end:
        time.sleep(0.05)
    message = found[0]
    assert (message["Body"], message["MessageId"]) == (BODY, sent["MessageId"])
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["MD5OfMessageAttributes"] == digest.of_attributes(attributes)
    assert message["MessageAttributes"]["resort"]["StringValue"] == "Arosa"
    assert message["MessageAttributes"]["photo"]["BinaryValue"] == b"\x89PNG"
    assert "SentTimestamp" in message["Attributes"]


def test_ses(make: Make, sqs: str) -> None:
    """The client of SES is boto3's, with the documented variables."""
    app = make()
    app.boot()
    assert app.get_ses_client().meta.service_model.service_name == "ses"


def test_anything_else(make: Make) -> None:
    """An attribute that nobody knows is missing as anywhere."""
    with pytest.raises(AttributeError, match="no attribute 'powder'"):
        _ = make().powder
