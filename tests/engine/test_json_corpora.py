"""Documents that others publish for the tests of JSON parsers, sent to a service."""

from __future__ import annotations

from pathlib import Path

import flask
import pytest

from buttress.engine.jsonprovider import JSONProvider
from buttress.service import Service
from tests.corpora import corpus

#: What the first letter of a file's name lets a service answer.
ALLOWED = {"y": {200}, "n": {400}, "i": {200, 400}}


@pytest.fixture
def app() -> Service:
    """Give a service that sends back the JSON that it gets."""
    app = Service(__name__)
    app.json = JSONProvider(app)
    app.json.sort_keys = False
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.post("/")
    def echo() -> flask.Response:
        return flask.jsonify(flask.request.get_json())

    return app


def documents() -> list[Path]:
    return sorted(corpus("json-parsing").rglob("*.json"))


def test_every_document(app: Service) -> None:
    """What is JSON is served, what is not is 400, and nothing is an error of the service."""
    client = app.test_client()
    answers = {
        file.name: client.post("/", data=file.read_bytes(), content_type="application/json")
        for file in documents()
    }
    assert len(answers) == 318
    surprising = {
        name: answer.status
        for name, answer in answers.items()
        if answer.status_code not in ALLOWED[name[0]]
    }
    assert surprising == {}


def test_a_document_means_the_same_afterwards(app: Service) -> None:
    """What is sent back means what was sent, to Flask's own provider."""
    client, theirs = app.test_client(), flask.json.provider.DefaultJSONProvider(app)
    for file in documents():
        data = file.read_bytes()
        answer = client.post("/", data=data, content_type="application/json")
        if answer.status_code == 200:
            assert repr(theirs.loads(data)) == repr(theirs.loads(answer.data)), file.name
