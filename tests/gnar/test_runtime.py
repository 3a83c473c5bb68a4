"""What the Gnar document promises of a running application: database, peers, queues and mail."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.serving import make_server

from buttress import ConfigError
from buttress.gnar import GnarApp
from buttress.queues import digest
from tests.databases import fresh_database
from tests.servers import server_url

from .conftest import Make

BODY = "The gnarliest gear in the world 🤙"
#: Of messages that are polled with every property, and of the request for them.
ASKED = {
    "interval_seconds": 1,
    "attribute_names": ["All"],
    "max_number_of_messages": 10,
    "message_attribute_names": ["All"],
    "receive_request_attempt_id": "attempt-1",
    "visibility_timeout": 45,
    "wait_time_seconds": 0,
}
SENT = {
    "AttributeNames": ["All"],
    "MaxNumberOfMessages": 10,
    "MessageAttributeNames": ["All"],
    "ReceiveRequestAttemptId": "attempt-1",
    "VisibilityTimeout": 45,
    "WaitTimeSeconds": 0,
}
#: A service that says what it was sent, and by whom.
SLOPE = """
    from flask import Blueprint, request
    from flask_jwt_extended import get_jwt_identity, jwt_required

    blueprint = Blueprint("login", __name__)

    @blueprint.post("/login")
    @jwt_required(optional=True)
    def login():
        return {"form": request.form, "who": get_jwt_identity()}
"""
#: Routes that call it.
CALLS = """
    from flask import Blueprint
    from flask_jwt_extended import create_access_token, jwt_required
    from shop.main import app

    blueprint = Blueprint("calls", __name__)

    @blueprint.get("/token")
    def token():
        return create_access_token("ada")

    @blueprint.get("/open", defaults={"auto_auth": True}, endpoint="open")
    @blueprint.get("/silent", defaults={"auto_auth": False}, endpoint="silent")
    def call(auto_auth):
        form = {"email": "ic3b3rg@example.com"}
        return app.peer("slope").post("login", form, auto_auth=auto_auth).json()

    protected = jwt_required()(call)
    blueprint.add_url_rule("/protected", "x", protected, defaults={"auto_auth": True})
    blueprint.add_url_rule("/without", "y", protected, defaults={"auto_auth": False})
"""
#: Every variable that the document lists, with a value.
VARIABLES = {
    "ARGON2_ENCODING": "utf-16",
    "ARGON2_HASH_LEN": "24",
    "ARGON2_MEMORY_COST": "20000",
    "ARGON2_PARALLELISM": "2",
    "ARGON2_SALT_LEN": "18",
    "ARGON2_TIME_COST": "3",
    "JWT_SECRET_KEY": token_urlsafe(32),
    "LOG_LEVEL": "WARNING",
    "PG_DATABASE": "shop db",
    "PG_ENDPOINT": "db.example:5433",
    "PG_PASSWORD": "p w'@/:",
    "PG_USERNAME": "ann",
    "SES_ACCESS_KEY_ID": "AKIA-of-mail",
    "SES_REGION_NAME": "eu-west-2",
    "SES_SECRET_ACCESS_KEY": "s3cr3t-of-mail",
    "SQS_ACCESS_KEY_ID": "AKIA-of-queues",
    "SQS_REGION_NAME": "eu-west-3",
    "SQS_SECRET_ACCESS_KEY": "s3cr3t-of-queues",
}


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
    client.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})
    client.close()
    return name


@pytest.fixture
def postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the documented variables of a database that is empty."""
    with fresh_database("postgres", tmp_path) as address:
        url = sa.make_url(address)
        monkeypatch.setenv("GNAR_PG_ENDPOINT", f"{url.host}:{url.port}")
        monkeypatch.setenv("GNAR_PG_DATABASE", str(url.database))
        monkeypatch.setenv("GNAR_PG_USERNAME", str(url.username))
        monkeypatch.setenv("GNAR_PG_PASSWORD", str(url.password))
        yield


@pytest.fixture
def slope(
    make: Make, package: Callable[[Mapping[str, str]], Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Serve another service that has the same key for tokens, and give its address."""
    monkeypatch.setenv("GNAR_JWT_SECRET_KEY", token_urlsafe(32))
    package({"slope/app/main.py": "", "slope/app/login/apis.py": SLOPE})
    package({"shop/app/calls/apis.py": CALLS})
    server = make_server("127.0.0.1", 0, make("slope", no_jwt=False), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def eventually(holds: Callable[[], object]) -> bool:
    """Wait up to ten seconds."""
    end = time.monotonic() + 10
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return bool(holds())


def listen(app: GnarApp, operation: str, asked: list[dict[str, Any]]) -> None:
    """Collect what SQS is asked."""
    event = f"provide-client-params.sqs.{operation}"
    app.get_sqs_client().meta.events.register(event, lambda params, **_: asked.append(params))


@pytest.mark.parametrize("prefix", ["GNAR", "MY_APP"])
def test_variables(make: Make, monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    """Every documented variable counts, and with a prefix of its own only that one's."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(f"GNAR_{name}", "another")
        monkeypatch.setenv(f"{prefix}_{name}", value)
    app = make(env_prefix=prefix, no_db=False, no_jwt=False)
    app.boot()
    assert {name: read(app) for name, read in READ.items()} == VARIABLES


def _keys_of(client: Any) -> Any:
    return client._request_signer._credentials  # boto3 tells them nowhere else


#: Where an application has the value of each of them.
READ: dict[str, Callable[[GnarApp], str]] = {
    "ARGON2_ENCODING": lambda app: app.argon2.encoding,
    "ARGON2_HASH_LEN": lambda app: str(app.argon2.hash_len),
    "ARGON2_MEMORY_COST": lambda app: str(app.argon2.memory_cost),
    "ARGON2_PARALLELISM": lambda app: str(app.argon2.parallelism),
    "ARGON2_SALT_LEN": lambda app: str(app.argon2.salt_len),
    "ARGON2_TIME_COST": lambda app: str(app.argon2.time_cost),
    "JWT_SECRET_KEY": lambda app: str(app.flask.config["JWT_SECRET_KEY"]),
    "LOG_LEVEL": lambda app: app.settings.log.level,
    "PG_DATABASE": lambda app: str(app.db.url.database),
    "PG_ENDPOINT": lambda app: f"{app.db.url.host}:{app.db.url.port}",
    "PG_PASSWORD": lambda app: str(app.db.url.password),
    "PG_USERNAME": lambda app: str(app.db.url.username),
    "SES_ACCESS_KEY_ID": lambda app: _keys_of(app.get_ses_client()).access_key,
    "SES_REGION_NAME": lambda app: app.get_ses_client().meta.region_name,
    "SES_SECRET_ACCESS_KEY": lambda app: _keys_of(app.get_ses_client()).secret_key,
    "SQS_ACCESS_KEY_ID": lambda app: _keys_of(app.get_sqs_client()).access_key,
    "SQS_REGION_NAME": lambda app: app.get_sqs_client().meta.region_name,
    "SQS_SECRET_ACCESS_KEY": lambda app: _keys_of(app.get_sqs_client()).secret_key,
}


def test_assets(make: Make) -> None:
    """What a running application has, its modules find by either import."""
    app = make(no_db=False)
    app.boot()
    from shop.app.main import app as first
    from shop.main import app as second

    names = ["db", "argon2", "flask", "check_password_hash", "generate_password_hash"]
    for name in (*names, "get_ses_client", "send_sqs_message", "peer", "external"):
        assert getattr(first, name) == getattr(second, name) == getattr(app, name)


def test_database(make: Make, postgres: None) -> None:
    """The four documented variables are all that a service needs for its documented queries."""
    app = make(no_db=False)
    app.start()
    app.db.run("CREATE TABLE foo (bar TEXT, n INTEGER)")
    app.db.run("INSERT INTO foo VALUES ('buz', 1), ('baz', 2)")
    assert app.db.one("SELECT * FROM foo WHERE bar='buz'") == ("buz", 1)
    assert app.db.one("SELECT * FROM foo WHERE bar='none'") is None
    assert app.db.all("SELECT bar FROM foo ORDER BY n") == ["buz", "baz"]
    assert app.test_client().get("/user/get").json == {"status": "ok"}
    app.close()


def test_own_migrations(make: Make, shop: Path, postgres: None) -> None:
    """A service that has migrations of its own waits for ``buttress db upgrade``."""
    (shop / "shop/migrations/versions").mkdir(parents=True)
    app = make(no_db=False)
    app.start()
    assert app.test_client().get("/user/get").json["error"] == "The database is not ready."
    assert "run `buttress db upgrade`" in app.db.guard.obstacle
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
    assert app.queues.broker.name == "sql"


def test_no_db(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``no_db`` nothing of a database is read."""
    monkeypatch.setenv("GNAR_PG_ENDPOINT", "db.example")
    app = make(no_db=True)
    app.boot()
    with pytest.raises(AttributeError, match="shop has no 'db'"):
        _ = app.db


@pytest.mark.parametrize(
    ("production", "address"), [(True, "http://10.0.0.1:9401"), (False, "http://127.0.0.1:9402")]
)
def test_peer(make: Make, production: bool, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer is found by the variable of the mode."""
    monkeypatch.setenv("SNOW_GUN_SERVICE_PORT", "10.0.0.1:9401")
    monkeypatch.setenv("GNAR_SNOW_GUN_SERVICE_PORT", "127.0.0.1:9402")
    app = make(production=production)
    app.boot()
    assert app.peer("snow-gun").address == address


def test_peer_without_an_address(make: Make) -> None:
    """A peer that no variable names is an error that says which one to set."""
    app = make()
    app.boot()
    with pytest.raises(ValueError, match="PISTE_SERVICE_PORT"):
        app.peer("piste")


def test_call_of_a_peer(make: Make, slope: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``auto_auth`` the peer knows who calls, where the current route is protected."""
    monkeypatch.setenv("SLOPE_SERVICE_PORT", slope)
    client = make(no_jwt=False).test_client()
    headers = {"Authorization": f"Bearer {client.get('/token').text}"}
    expected = {"/protected": "ada", "/without": None, "/open": None, "/silent": None}
    for path, who in expected.items():
        answer = client.get(path, headers=headers).json
        assert answer == {"form": {"email": "ic3b3rg@example.com"}, "who": who}


def test_external(make: Make, slope: str) -> None:
    """Any URL is called as by requests."""
    app = make()
    app.boot()
    answer = app.external.post(f"http://{slope}/login", data={"a": "1"})
    assert answer.json() == {"form": {"a": "1"}, "who": None}


def test_send(make: Make, sqs: str) -> None:
    """A message goes to SQS, and what SQS answers is given."""
    app = make()
    app.boot()
    asked: list[dict[str, Any]] = []
    listen(app, "SendMessage", asked)
    sent = app.send_sqs_message(sqs, BODY, delay_seconds=0)
    url = app.get_sqs_queue_url(sqs)
    assert asked == [{"QueueUrl": url, "MessageBody": BODY, "DelaySeconds": 0}]
    assert sent["MD5OfMessageBody"] == hashlib.md5(BODY.encode(), usedforsecurity=False).hexdigest()
    found = app.get_sqs_client().receive_message(QueueUrl=url)["Messages"][0]
    assert (found["MessageId"], found["Body"]) == (sent["MessageId"], BODY)


def test_poll(make: Make, sqs: str) -> None:
    """A queue in ``sqs`` is polled with every property, and messages have the documented keys."""
    found, asked = list[dict[str, Any]](), list[dict[str, Any]]()
    fifo = f"{sqs}.fifo"
    app = make(sqs=[{"queue_name": fifo, "callback": found.append, **ASKED}])
    app.boot()
    listen(app, "ReceiveMessage", asked)
    attributes = {
        "resort": {"DataType": "String", "StringValue": "Arosa"},
        "photo": {"DataType": "Binary", "BinaryValue": b"\x89PNG"},
    }
    sent = app.send_sqs_message(fifo, BODY, None, attributes, "once-1", "group-1")
    app.start()
    assert eventually(lambda: found)
    assert asked[0] == {"QueueUrl": app.get_sqs_queue_url(fifo), **SENT}
    message = found[0]
    assert (message["Body"], message["MD5OfBody"]) == (BODY, sent["MD5OfMessageBody"])
    assert message["MessageId"] == sent["MessageId"]
    assert message["MessageAttributes"]["resort"]["StringValue"] == "Arosa"
    assert message["Attributes"]["SequenceNumber"] == sent["SequenceNumber"]
    assert message["Attributes"]["MessageGroupId"] == "group-1"
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert sent["MD5OfMessageAttributes"] == digest.of_attributes(attributes)
    assert eventually(lambda: _held(app, fifo) == 0)


def _held(app: GnarApp, queue: str) -> int:
    depth = app.queues.broker.depth(queue)
    return depth.ready + depth.in_flight


def test_poll_by_default(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A poll that says no more is of one message, and again after 60 seconds without any."""
    asked: list[tuple[str, dict[str, Any]]] = []
    calm = {"queue_name": "gnar-queue", "callback": print}
    app = make(sqs=[calm, {"queue_name": "often", "callback": print, "interval_seconds": 0.01}])
    app.boot()
    monkeypatch.setattr(app.queues.broker, "receive", lambda it, **by: asked.append((it, by)) or [])
    app.start()
    assert eventually(lambda: [it for it, _ in asked].count("often") > 2)
    [found] = [by for it, by in asked if it == "gnar-queue"]
    assert (found["limit"], found["wait"], found["visibility"]) == (1, 5, 30)
    assert "Polling SQS queue gnar-queue every 60" in caplog.text


def test_one_after_the_other(make: Make) -> None:
    """A callback is called once the one before has returned, in the order of the messages."""
    found: list[str] = []

    def callback(message: dict[str, Any]) -> None:
        found.append(f"begin {message['Body']}")
        time.sleep(0.01)
        found.append(f"end {message['Body']}")

    app = make(sqs={"queue_name": "q", "callback": callback, "max_number_of_messages": 10})
    app.boot()
    app.queues.broker.declare("q")
    for number in range(3):
        app.send_sqs_message("q", str(number))
    app.start()
    assert eventually(lambda: len(found) == 6)
    assert found == [f"{what} {number}" for number in range(3) for what in ("begin", "end")]


def test_ses(make: Make, sqs: str) -> None:
    """The client of SES is boto3's, and sends."""
    app = make()
    app.boot()
    client = app.get_ses_client()
    client.verify_email_identity(EmailAddress="piste@example.com")
    mail = {"Subject": {"Data": "Snow"}, "Body": {"Text": {"Data": BODY}}}
    to = {"ToAddresses": ["patrol@example.com"]}
    sent = client.send_email(Source="piste@example.com", Destination=to, Message=mail)
    assert sent["MessageId"]


def test_anything_else(make: Make) -> None:
    """An attribute that nobody knows is missing as anywhere."""
    with pytest.raises(AttributeError, match="no attribute 'powder'"):
        _ = make().powder
