from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any, ClassVar

import pytest
from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    render_template_string,
    send_file,
    stream_with_context,
)
from flask.views import View
from werkzeug.datastructures import Headers

from buttress import Service
from buttress.auth.principal import ANONYMOUS, Principal
from buttress.engine.flaskcompat import current_environ
from buttress.web import security_headers
from tests.services import Make

POLICY = "Content-Security-Policy"
SCRIPT = '<script nonce="{{ csp_nonce() }}">1</script>'
CLOSED = "default-src 'none'; frame-ancestors 'none'"


def headers(app: Flask, path: str = "/", url: str = "http://shop.example") -> Headers:
    """Give the headers of an answer."""
    return app.test_client().get(path, base_url=url).headers


def nonces(text: str) -> set[str]:
    """Give the nonces in a page or a policy."""
    return set(re.findall(r"nonce[=-]\"?([\w-]{22})", text))


@pytest.fixture
def app(make: Make) -> Service:
    """Make a service with a page that has scripts and one that has none."""
    app = make()
    app.add_url_rule("/scripts", "scripts", lambda: render_template_string(SCRIPT * 2))
    app.add_url_rule("/plain", "plain", lambda: render_template_string("<p>plain</p>"))
    return app


def test_nonce_of_a_page_is_in_its_policy(app: Service) -> None:
    """A page that asks for a nonce has one, for scripts and for styles, and a new one each time."""
    seen = set()
    for _ in range(3):
        answer = app.test_client().get("/scripts")
        policies = answer.headers.getlist(POLICY)
        (nonce,) = nonces(answer.text)
        assert len(policies) == 1
        assert f"script-src 'self' 'nonce-{nonce}'" in policies[0]
        assert f"style-src 'self' 'nonce-{nonce}'" in policies[0]
        assert "frame-ancestors 'self'" in policies[0]
        seen.add(nonce)
    assert len(seen) == 3


def test_page_without_nonce_pays_nothing(app: Service) -> None:
    """A page that does not ask has the policy of all, and other answers keep theirs."""
    app.test_client().get("/scripts")
    assert "nonce" not in headers(app, "/plain")[POLICY]
    assert headers(app, "/nothing")[POLICY] == CLOSED


def test_nonce_in_a_macro(app: Service) -> None:
    """A macro that is imported without context can ask for it too."""
    app.jinja_env.loader = None
    made = app.jinja_env.from_string("{% macro it() %}" + SCRIPT + "{% endmacro %}").module
    app.add_url_rule("/macro", "macro", lambda: str(vars(made)["it"]()))
    answer = app.test_client().get("/macro")
    assert nonces(answer.text) == nonces(answer.headers[POLICY]) != set()


def test_nonce_in_the_view(app: Service) -> None:
    """A view may ask by ``app.security``, and write a policy of its own with it."""

    @app.get("/own")
    def own() -> Response:
        nonce = app.security.csp_nonce()
        return Response(nonce, headers={POLICY: f"script-src 'nonce-{nonce}'"})

    answer = app.test_client().get("/own")
    assert answer.headers.getlist(POLICY) == [f"script-src 'nonce-{answer.text}'"]


def test_nonce_outside_of_a_request(app: Service) -> None:
    """A mail has no policy, so that a template with a nonce is a mistake there."""
    with app.app_context(), pytest.raises(RuntimeError, match="there is no request"):
        render_template_string(SCRIPT)


def test_nonce_on_the_error_page_of_the_application(app: Service) -> None:
    """An error page of the application's own may ask for one."""
    app.register_error_handler(404, lambda _: (render_template_string(SCRIPT), 404))
    answer = app.test_client().get("/nothing")
    assert nonces(answer.text) == nonces(answer.headers[POLICY]) != set()


def test_templates_are_not_set_up_for_it(app: Service) -> None:
    """The environment of templates is made when somebody renders, with what was set until then."""
    assert "jinja_env" not in app.__dict__
    app.jinja_options = {"trim_blocks": True}
    assert app.test_client().get("/scripts").status_code == 200
    assert app.jinja_env.trim_blocks


def test_route_changes_its_headers(app: Service) -> None:
    """A view says what is different for it; the rest, and other views, stay as they are."""

    @app.get("/framed")
    @security_headers(frame_options="", page_policy="frame-ancestors https://hall.example")
    def framed() -> str:
        return "<p>framed</p>"

    found = headers(app, "/framed")
    assert "X-Frame-Options" not in found
    assert found.getlist(POLICY) == ["frame-ancestors https://hall.example"]
    assert found["X-Content-Type-Options"] == "nosniff"
    assert headers(app, "/plain")["X-Frame-Options"] == "SAMEORIGIN"


def test_route_changes_data_and_transport(app: Service) -> None:
    """The policy of data, and what is sent over HTTPS only, can be changed as well."""

    @app.get("/data")
    @security_headers(content_policy="sandbox", transport="max-age=5")
    def data() -> dict[str, int]:
        return {"open": 3}

    assert headers(app, "/data")[POLICY] == "sandbox"
    assert "Strict-Transport-Security" not in headers(app, "/data")
    secure = headers(app, "/data", "https://shop.example")
    assert secure.getlist("Strict-Transport-Security") == ["max-age=5"]


def test_header_of_the_view_wins_over_its_mark(app: Service) -> None:
    """A header that the view sets is the only one, whatever stands above it."""

    @app.get("/own")
    @security_headers(frame_options="DENY", page_policy="sandbox")
    def own() -> Any:
        return "", {POLICY: "default-src https:", "X-Frame-Options": "ALLOWALL"}

    found = headers(app, "/own")
    assert found.getlist(POLICY) == ["default-src https:"]
    assert found.getlist("X-Frame-Options") == ["ALLOWALL"]


def test_mark_with_nonce(app: Service) -> None:
    """The nonce goes into the policy of the route."""

    @app.get("/both")
    @security_headers(page_policy="script-src 'none'")
    def both() -> str:
        return render_template_string(SCRIPT)

    answer = app.test_client().get("/both")
    (nonce,) = nonces(answer.text)
    assert answer.headers.getlist(POLICY) == [f"script-src 'nonce-{nonce}'"]


def test_mark_holds_for_errors_of_the_view(app: Service) -> None:
    """An error that the view raises has the headers of the view."""

    @app.get("/broken")
    @security_headers(frame_options="DENY")
    def broken() -> None:
        abort(409)

    assert headers(app, "/broken")["X-Frame-Options"] == "DENY"


def test_mark_on_other_views(app: Service) -> None:
    """A coroutine, a class and a view of a blueprint can be marked too."""
    pytest.importorskip("asgiref")
    deny = security_headers(frame_options="DENY")

    async def later() -> str:
        return "later"

    class Board(View):
        decorators: ClassVar = [deny]

        def dispatch_request(self) -> str:
            return "board"

    pistes = Blueprint("pistes", __name__)
    pistes.add_url_rule("/pistes", "list", deny(lambda: "pistes"))
    app.register_blueprint(pistes)
    app.add_url_rule("/later", "later", deny(later))
    app.add_url_rule("/board", view_func=Board.as_view("board"))
    found = [headers(app, path)["X-Frame-Options"] for path in ("/later", "/board", "/pistes")]
    assert found == ["DENY", "DENY", "DENY"]


def test_mark_without_the_extension(make: Make) -> None:
    """A marked view works in a service that has no security headers, and in plain Flask."""
    marked = security_headers(frame_options="DENY")(lambda: "marked")
    for app in (make(extensions=["web"]), Flask("plain")):
        app.add_url_rule("/marked", "marked", marked)
        answer = app.test_client().get("/marked")
        assert (answer.text, "X-Frame-Options" in answer.headers) == ("marked", False)


def test_mistaken_marks() -> None:
    """A name that is none, and a value that would break a header, are errors at once."""
    with pytest.raises(TypeError, match="frame_option"):
        security_headers(frame_option="DENY")  # type: ignore[call-arg]  # the mistake
    with pytest.raises(ValueError, match="FRAME_OPTIONS holds a control character"):
        security_headers(frame_options="DENY\r\nSet-Cookie: a=b")
    with pytest.raises(ValueError, match="beyond Latin-1"):
        security_headers(frame_options="DENY\u2028")


def recognise(app: Service, principal: object) -> None:
    """Let every request be somebody's."""

    @app.before_request
    def note() -> None:
        environ = current_environ()
        assert environ is not None
        environ["buttress.auth.principal"] = principal


@pytest.mark.parametrize("path", ["/data", "/page", "/nothing", "/stream", "/empty"])
def test_answer_to_somebody_is_not_stored(make: Make, path: str) -> None:
    """What somebody who is known is answered stays out of caches, errors included."""
    app = make()
    recognise(app, Principal(id="ada"))
    app.add_url_rule("/data", "data", lambda: {"open": 3})
    app.add_url_rule("/page", "page", lambda: "<p>page</p>")
    app.add_url_rule("/empty", "empty", lambda: ("", 204))

    @app.get("/stream")
    def stream() -> Iterator[str]:
        return stream_with_context(iter(["piece"]))

    assert headers(app, path).getlist("Cache-Control") == ["no-store"]


def test_own_word_on_caches_stays(make: Make) -> None:
    """A view that says how long its answer may be kept is not contradicted."""
    app = make()
    recognise(app, Principal(id="ada"))
    app.add_url_rule("/own", "own", lambda: ("", {"cache-control": "max-age=60"}))
    assert headers(app, "/own").getlist("Cache-Control") == ["max-age=60"]


def test_file_of_somebody_is_not_stored(make: Make) -> None:
    """What Flask says of every file, ``no-cache``, is not the view's own word."""
    app = make()
    recognise(app, Principal(id="ada"))
    app.add_url_rule("/bill", "bill", lambda: send_file(BytesIO(b"12"), mimetype="text/plain"))
    app.add_url_rule("/kept", "kept", lambda: ("", {"Cache-Control": "private, no-cache"}))
    assert headers(app, "/bill").getlist("Cache-Control") == ["no-store"]
    assert headers(app, "/kept").getlist("Cache-Control") == ["private, no-cache"]


@pytest.mark.parametrize("principal", [None, ANONYMOUS])
def test_answer_to_nobody_may_be_stored(make: Make, principal: object) -> None:
    """Where nobody is recognised nothing is said of caches."""
    app = make()
    recognise(app, principal)
    app.add_url_rule("/data", "data", lambda: {"open": 3})
    assert "Cache-Control" not in headers(app, "/data")
