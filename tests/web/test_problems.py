from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, abort, redirect, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Conflict, HTTPException, Unauthorized
from werkzeug.test import TestResponse
from werkzeug.wrappers import Response

from buttress import Code, Problem, Service, Unavailable
from tests.services import Make

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
SECRET = "SELECT password FROM users"


def shop(make: Make, **config: Any) -> Service:
    """Make a service with one view for each kind of error."""
    app = make(**{"PROPAGATE_EXCEPTIONS": False, **config})

    @app.get("/raise/<int:status>")
    def raise_status(status: int) -> str:
        abort(status)

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError(SECRET)

    @app.get("/closed")
    def closed() -> str:
        raise Problem(Code.CONFLICT, "The lift is closed.", lift=3, status=409)

    @app.get("/folder/")
    def folder() -> str:
        return "folder"

    return app


def view_raising(error: Exception) -> Callable[[], str]:
    """Make a view that fails."""

    def view() -> str:
        raise error

    return view


def get(app: Service, path: str, accept: str = "*/*", **options: Any) -> TestResponse:
    """Ask for a path as a client that accepts these types."""
    return app.test_client().get(path, headers={"Accept": accept}, **options)


def test_members(make: Make) -> None:
    """A problem document has exactly the promised members."""
    answer = get(shop(make), "/nothing")
    assert answer.headers.getlist("Content-Type") == ["application/problem+json"]
    found = answer.get_json()
    assert found.pop("detail").startswith("The requested URL was not found")
    assert found == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "code": "not_found",
        "request_id": answer.headers["X-Request-Id"],
    }


@pytest.mark.parametrize("status", [400, 401, 403, 409, 410, 418, 429, 500, 501, 503])
def test_status_is_true(make: Make, status: int) -> None:
    """The answer has the status that the document tells, and the code of that status."""
    answer = get(shop(make), f"/raise/{status}")
    assert answer.status_code == status
    assert answer.get_json()["status"] == status
    assert answer.get_json()["code"] == Code.for_status(status)


def test_problem_has_its_own_members(make: Make) -> None:
    """A `Problem` brings code, detail and members of its own."""
    found = get(shop(make), "/closed").get_json()
    assert (found["code"], found["detail"], found["lift"]) == ("conflict", "The lift is closed.", 3)


def test_problem_cannot_replace_members(make: Make) -> None:
    """What a `Problem` adds does not replace the members of the document."""
    app = shop(make)

    @app.get("/liar")
    def liar() -> str:
        raise Problem("odd", "told", status=422, title="none", request_id="none")

    answer = get(app, "/liar")
    assert answer.get_json()["request_id"] == answer.headers["X-Request-Id"]
    assert answer.get_json()["title"] != "none"


def test_method_not_allowed_names_methods(make: Make) -> None:
    """A 405 says in ``Allow`` what is allowed."""
    answer = shop(make).test_client().post("/closed")
    assert answer.status_code == 405
    assert {*answer.allow} == {"GET", "HEAD", "OPTIONS"}


def test_headers_of_the_error_stay(make: Make) -> None:
    """``Retry-After`` and ``WWW-Authenticate`` reach the client."""
    app = shop(make)

    @app.get("/down")
    def down() -> str:
        raise Unavailable("The database is down.", retry_after=7)

    @app.get("/who")
    def who() -> str:
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer"))

    assert get(app, "/down").headers.getlist("Retry-After") == ["7"]
    assert get(app, "/who").headers["WWW-Authenticate"].lower().startswith("bearer")


def test_browser_gets_a_page(make: Make) -> None:
    """Who prefers HTML gets a page with status, text and request id, and its own policy."""
    answer = get(shop(make), "/nothing", BROWSER)
    assert answer.mimetype == "text/html"
    assert "<h1>404 Not Found</h1>" in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    assert answer.headers.getlist("Content-Security-Policy")[0].startswith(
        "default-src 'none'; style"
    )
    assert len(answer.headers.getlist("Content-Security-Policy")) == 1
    assert "color-scheme:light dark" in answer.text


@pytest.mark.parametrize(
    "accept",
    ["", "*/*", "application/json", "text/html;q=0.1, application/json", "text/plain", "\x00"],
)
def test_others_get_a_document(make: Make, accept: str) -> None:
    """Who does not prefer HTML gets the problem document, told apart for caches."""
    answer = get(shop(make), "/nothing", accept)
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Vary"] == "Accept"


def test_page_is_escaped(make: Make) -> None:
    """Text on a page cannot become markup."""
    app = shop(make)

    @app.get("/echo")
    def echo() -> str:
        abort(400, request.args["name"])

    text = get(app, "/echo?name=<script>alert(1)</script>", BROWSER).text
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_head_has_no_body(make: Make) -> None:
    """HEAD gets the status and the headers of the error, without its body."""
    answer = shop(make).test_client().head("/nothing")
    assert (answer.status_code, answer.data) == (404, b"")
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("accept", ["*/*", BROWSER])
@pytest.mark.parametrize("mode", ["production", "testing"])
def test_no_exception_text_leaves(make: Make, mode: str, accept: str) -> None:
    """An unhandled exception answers 500 and tells nothing of itself."""
    answer = get(shop(make, MODE=mode), "/broken", accept)
    assert answer.status_code == 500
    for inside in (SECRET, "RuntimeError", "Traceback", __file__):
        assert inside not in answer.text


def test_development_shows_the_traceback(make: Make) -> None:
    """In development the detail is the traceback, and nothing is raised to the server."""
    detail = get(shop(make, MODE="development", PROPAGATE_EXCEPTIONS=None), "/broken").get_json()[
        "detail"
    ]
    assert detail.startswith("Traceback (most recent call last):")
    assert detail.endswith(f"RuntimeError: {SECRET}\n")


def test_exception_is_logged_with_its_id(
    make: Make, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unhandled exception is logged once, with its traceback and the id of the answer."""
    answer = get(shop(make), "/broken")
    (record,) = [it for it in caplog.records if it.exc_info]
    assert str(record.exc_info[1]) == SECRET  # type: ignore[index]  # the condition above
    out = capsys.readouterr().out
    assert out.count(f"RuntimeError: {SECRET}") == 1
    assert f"rid={answer.headers['X-Request-Id']}" in out


def test_testing_raises_as_flask_does(make: Make) -> None:
    """In tests an exception reaches the test, unless it is told not to."""
    with pytest.raises(RuntimeError, match="SELECT"):
        get(shop(make, PROPAGATE_EXCEPTIONS=None), "/broken")


def test_redirect_of_the_router_stays(make: Make) -> None:
    """A redirect to the path with a slash is a redirect, no error."""
    answer = get(shop(make), "/folder")
    assert (answer.status_code, answer.mimetype) == (308, "text/html")
    assert answer.location.endswith("/folder/")


def test_aborted_response_stays(make: Make) -> None:
    """A response given to ``abort`` is the answer."""
    app = shop(make)
    app.add_url_rule("/mine", "mine", view_func=lambda: abort(404, response=Response("mine", 402)))
    app.add_url_rule("/away", "away", view_func=lambda: abort(redirect("/elsewhere")))
    assert (get(app, "/mine").text, get(app, "/mine").status_code) == ("mine", 402)
    assert get(app, "/away").status_code == 302


@pytest.mark.parametrize("kind", [404, HTTPException, Exception])
def test_own_handler_wins(make: Make, kind: Any) -> None:
    """A handler of the application answers instead, whether for a code or a class."""
    app = shop(make)
    app.register_error_handler(kind, lambda _error: ("mine", 404))
    assert get(app, "/nothing").text == "mine"


@pytest.mark.parametrize("kind", [409, Conflict, Problem, HTTPException])
def test_own_handler_of_problems(make: Make, kind: Any) -> None:
    """A handler for a status takes a `Problem` of that status, as what ``abort`` raises."""
    app = shop(make)
    app.register_error_handler(kind, lambda error: (f"mine {error.code}", error.code))
    answer = get(app, "/closed")
    assert (answer.status_code, answer.text) == (409, "mine 409")


def test_own_handlers_of_a_blueprint(make: Make) -> None:
    """A handler of a blueprint comes before that of the application, for a `Problem` too."""
    app, blueprint = shop(make), Blueprint("lifts", __name__, url_prefix="/lifts")
    blueprint.add_url_rule("/", "closed", app.view_functions["closed"])
    blueprint.register_error_handler(409, lambda _error: ("lift", 409))
    app.register_blueprint(blueprint)
    app.register_error_handler(409, lambda _error: ("mine", 409))
    app.register_error_handler(404, lambda _error: ("nothing", 404))
    assert [get(app, path).text for path in ("/lifts/", "/closed")] == ["lift", "mine"]


class Closed(Problem):
    """A problem of a class of its own."""


class Taken(Problem, Conflict):
    """One of which Flask knows the status."""


@pytest.mark.parametrize("kind", [Closed, Taken])
def test_own_handler_of_a_kind_of_problems(make: Make, kind: type[Problem]) -> None:
    """A handler for a class of problems comes before that of their status."""
    app = shop(make)
    app.add_url_rule("/kind", "kind", view_raising(kind(Code.CONFLICT)))
    app.register_error_handler(409, lambda _error: ("mine", 409))
    app.register_error_handler(Problem, lambda _error: ("any", 409))
    app.register_error_handler(kind, lambda _error: ("closed", 409))
    assert [get(app, path).text for path in ("/kind", "/closed")] == ["closed", "mine"]


def test_own_handler_of_exceptions(make: Make) -> None:
    """A handler for a class of exceptions takes them; nothing is raised again."""
    app = shop(make, PROPAGATE_EXCEPTIONS=None)
    app.register_error_handler(RuntimeError, lambda _error: ("mine", 503))
    assert get(app, "/broken").text == "mine"


def test_blueprint_handler_wins(make: Make) -> None:
    """A handler of a blueprint takes the errors of its own views only."""
    app = shop(make)
    blueprint = Blueprint("lifts", __name__, url_prefix="/lifts")
    blueprint.add_url_rule("/", view_func=lambda: abort(404))
    blueprint.register_error_handler(404, lambda _error: ("lift", 404))
    app.register_blueprint(blueprint)
    assert get(app, "/lifts/").text == "lift"
    assert get(app, "/nothing").mimetype == "application/problem+json"


def test_missing_key_tells_no_internals(make: Make) -> None:
    """A form key that a view misses is a 400 without the name of the key."""
    app = shop(make, MODE="production")
    app.add_url_rule("/form", view_func=lambda: request.args["internal_name"])
    answer = get(app, "/form")
    assert answer.status_code == 400
    assert "internal_name" not in answer.text


@pytest.mark.parametrize("key", ["TRAP_HTTP_EXCEPTIONS", "TRAP_BAD_REQUEST_ERRORS"])
def test_traps_work(make: Make, key: str) -> None:
    """An HTTP error that the application asked Flask to raise is raised."""
    app = shop(make, **{key: True, "PROPAGATE_EXCEPTIONS": None})
    with pytest.raises(HTTPException):
        get(app, "/raise/400")


def test_trapped_error_is_500_in_production(make: Make) -> None:
    """A trapped error answers 500, and that answer is not trapped again."""
    assert get(shop(make, TRAP_HTTP_EXCEPTIONS=True), "/raise/404").status_code == 500


def test_unwritable_text_is_answered(make: Make) -> None:
    """A lone surrogate in the detail does not break the answer."""
    app = shop(make)
    app.add_url_rule("/odd", view_func=lambda: abort(400, "\ud800"))
    assert get(app, "/odd").get_json()["detail"] == "\ud800"
    assert get(app, "/odd", BROWSER).status_code == 400


class Unspeakable:
    """Cannot be written as text."""

    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.mark.parametrize("accept", ["*/*", BROWSER])
@pytest.mark.parametrize(
    ("detail", "shown"), [(ValueError("too deep"), "too deep"), (Unspeakable(), "Unspeakable")]
)
def test_detail_becomes_text(make: Make, accept: str, detail: Any, shown: str) -> None:
    """Whatever is given to ``abort`` as the description, the status is true and text is shown."""
    app = shop(make)
    app.add_url_rule("/odd", view_func=lambda: abort(400, detail))
    answer = get(app, "/odd", accept)
    assert answer.status_code == 400
    assert shown in answer.text


@pytest.mark.parametrize("accept", ["*/*", BROWSER])
@pytest.mark.parametrize("room", [{1}, Unspeakable(), {(1, 2): 3}, float, [Unspeakable()]])
def test_unsayable_member_is_answered(make: Make, accept: str, room: Any) -> None:
    """A member that JSON cannot say does not break the answer."""
    app = shop(make)

    @app.get("/odd")
    def odd() -> str:
        raise Problem("full", "The hut is full.", status=409, room=room)

    answer = get(app, "/odd", accept)
    assert answer.status_code == 409
    assert "The hut is full." in answer.text


def test_unsayable_member_becomes_text(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Such a member is written as text and named in the log; the others stay as they are."""
    app = shop(make)

    @app.get("/odd")
    def odd() -> str:
        raise Problem("full", status=409, room={1}, beds=[2], left=0)

    found = get(app, "/odd").get_json()
    assert (found["room"], found["beds"], found["left"]) == ("{1}", [2], 0)
    assert [it.args[1] for it in caplog.records if it.name == "buttress.web"] == ["room"]


def test_provider_that_keeps_surrogates(make: Make) -> None:
    """A lone surrogate is answered where JSON is not written in ASCII, too."""
    app = shop(make)
    app.json.ensure_ascii = False
    app.add_url_rule("/odd", view_func=lambda: abort(400, "é\ud800"))
    assert get(app, "/odd").get_json()["detail"] == "é\ud800"


def test_missing_key_is_shown_in_development(make: Make) -> None:
    """In development a missing form key is a page with the traceback, as Flask has it."""
    app = shop(make, MODE="development")
    app.add_url_rule("/form", view_func=lambda: request.form["piste"])
    answer = get(app, "/form")
    assert answer.status_code == 500
    assert "BadRequestKeyError" in answer.get_json()["detail"]


@pytest.mark.parametrize(
    ("path", "message", "code"),
    [
        ("/nothing", "The requested URL was not found", "not_found"),
        ("/closed", "The lift is closed.", "conflict"),
        ("/broken", "Shop API Error", "internal_error"),
    ],
)
def test_gnar_style(make: Make, path: str, message: str, code: str) -> None:
    """In Gnar's style an error is a 200 with its message, code and id; nothing of an exception."""
    answer = get(shop(make, MODE="production", ERRORS_STYLE="gnar"), path, BROWSER)
    said = answer.get_json()
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert said.pop("error").startswith(message)
    assert said == {"code": code, "request_id": answer.headers["X-Request-Id"]}


@pytest.mark.parametrize("path", ["/nothing", "/broken"])
def test_gnar_style_in_development(make: Make, path: str) -> None:
    """In development every error in Gnar's style has a traceback, as its document has it."""
    answer = get(shop(make, MODE="development", ERRORS_STYLE="gnar"), path).get_json()
    assert answer["traceback"].startswith("Shop API Error:\nTraceback (most recent call last):")


def test_gnar_style_keeps_headers(make: Make) -> None:
    """In Gnar's style a 405 still names the methods."""
    answer = shop(make, ERRORS_STYLE="gnar").test_client().post("/closed")
    assert "GET" in answer.allow


def test_a_translated_error(make: Make) -> None:
    """What a library raises when its server is down is answered as an extension says."""
    app = shop(make)
    app.web.error_pages.translations.append(
        lambda error: Unavailable("The lift is slow.") if isinstance(error, OSError) else None
    )
    app.add_url_rule("/down", "down", lambda: open("/no/such/lift"))  # noqa: PTH123,SIM115  # fails
    client = app.test_client()
    down = client.get("/down")
    assert (down.status_code, down.headers["Retry-After"]) == (503, "5")
    assert client.get("/broken").status_code == 500
