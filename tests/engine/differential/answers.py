"""What views answer: every form that Flask takes, and forms that it refuses."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import flask
from markupsafe import Markup
from werkzeug import exceptions
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response as PlainResponse

from tests.engine.differential.recording import Recorder

Answer = Callable[[Recorder], Any]


@dataclass
class Piste:
    """A dataclass, which JSON answers may hold."""

    name: str
    length: int


def pieces(log: Recorder, fail_at: int | None = None) -> Iterator[str]:
    """Give three pieces, and say so in the diary."""
    try:
        for number in range(3):
            if number == fail_at:
                raise RuntimeError(f"piece {number}")
            log.note("piece", number, flask.has_request_context())
            yield f"{number}é\n"
    finally:
        log.note("pieces closed")


def with_request(log: Recorder) -> Iterator[str]:
    """Give pieces that need the request."""
    for number in range(2):
        log.note("piece", flask.request.path)
        flask.g.piece = number
        yield flask.request.path


def wsgi_application(
    environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Answer as a WSGI application."""
    start_response("203 Foreign", [("Content-Type", "text/x-foreign"), ("X-Foreign", "1")])
    return [b"foreign ", environ["PATH_INFO"].encode("latin-1")]


def with_cookies(log: Recorder) -> flask.Response:
    """Answer with cookies and headers."""
    response = flask.make_response("cookies")
    response.set_cookie("a", "1", httponly=True, samesite="Lax")
    response.delete_cookie("b")
    response.headers.add("X-Twice", "1")
    response.headers.add("X-Twice", "2")
    return response


def with_close(log: Recorder) -> flask.Response:
    """Answer with something to do at the end."""
    response = flask.Response("closing")
    response.call_on_close(lambda: log.note("closed", flask.has_request_context()))
    return response


def conditional(log: Recorder) -> flask.Response:
    """Answer with an entity tag, to be compared with the request's."""
    response = flask.Response("tagged " * 5)
    response.set_etag("abc")
    return response.make_conditional(flask.request, accept_ranges=True, complete_length=35)


def sent_file(log: Recorder) -> flask.Response:
    """Answer with a file of bytes."""
    return flask.send_file(io.BytesIO(b"0123456789"), "text/plain", download_name="a.txt")


def lazily_wrapped(log: Recorder) -> Any:
    """Answer with pieces that fail before they are returned."""
    return flask.stream_with_context(pieces(log, fail_at=1))


JSON: dict[str, Any] = {
    "strings": {"b": "é\u2028<&>", "a": "\x7f\x00", "ü": ""},
    "numbers": {"i": 1, "big": 2**70, "negative": -(2**63), "f": 1.0, "small": 1e-7, "e": 1e22},
    "not finite": {"nan": float("nan"), "inf": float("inf")},
    "constants": [None, True, False, [], {}, ()],
    "dates": {"d": date(2024, 2, 29), "t": datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=UTC)},
    "naive date": {"t": datetime(1999, 12, 31, 23, 59)},  # noqa: DTZ001  # naive is what is tried
    "types": {"u": UUID(int=7), "n": Decimal("1.10"), "h": Markup("<b>"), "p": Piste("a", 3)},
    "keys": {1: "int", "2": "str", "b": 1, "a": 2},
    "key types": {1: 1, 2.5: 2, False: 3, None: 4},
    "mixed keys": {"1": 1, None: 2},
    "tuple key": {(1, 2): 3},
    "nested": {"z": [{"b": 1, "a": [1, {"y": 1, "x": 2}]}], "a": {}},
    "bytes inside": {"b": b"x"},
    "set inside": {"s": {1}},
    "surrogate": {"s": "\ud800"},
    "subclasses": {"s": Markup("a&b"), "i": True},
}

ANSWERS: dict[str, Answer] = {
    "text": lambda _: "text é",
    "empty": lambda _: "",
    "bytes": lambda _: b"\x00\xffbytes",
    "bytearray": lambda _: bytearray(b"array"),
    "dict": lambda _: {"a": 1, "b": [1, 2, {"c": None}]},
    "view args": lambda _: {name: str(it) for name, it in (flask.request.view_args or {}).items()},
    "list": lambda _: [1, "two", 3.0],
    "empty dict": lambda _: {},
    "jsonify": lambda _: flask.jsonify(b=1, a="é"),
    "jsonify list": lambda _: flask.jsonify(1, 2),
    "jsonify nothing": lambda _: flask.jsonify(),
    **{f"json {name}": lambda _, it=it: it for name, it in JSON.items()},  # type: ignore[misc]  # a lambda that binds its value
    "pieces": pieces,
    "generator of bytes": lambda _: (it for it in (b"a", b"", b"b")),
    "generator of numbers": lambda _: iter([1, 2]),
    "fails at first": lambda log: pieces(log, fail_at=0),
    "fails later": lambda log: pieces(log, fail_at=2),
    "with context": lambda log: flask.stream_with_context(with_request(log)),
    "with context in response": lambda log: flask.Response(
        flask.stream_with_context(with_request(log)), 202, {"X-A": "1"}
    ),
    "fails in context": lazily_wrapped,
    "context lost": with_request,
    "status": lambda _: ("created", 201),
    "status text": lambda _: ("text", "299 Fine"),
    "status text without number": lambda _: ("text", "fine"),
    "status number as text": lambda _: ("text", "404"),
    "empty status": lambda _: ("text", ""),
    "status 0": lambda _: ("text", 0),
    "status None": lambda _: ("text", None),
    "status 999": lambda _: ("text", 999),
    "status 204": lambda _: ("", 204),
    "status 204 with body": lambda _: ("body", 204),
    "status 304": lambda _: ("body", 304),
    "status 103": lambda _: ("", 103),
    "status of wrong type": lambda _: ("text", 2.5),
    "status bool": lambda _: ("text", True),
    "headers": lambda _: ("text", {"X-A": "1", "Content-Type": "text/x"}),
    "header list": lambda _: ("text", [("X-A", "1"), ("X-A", "2")]),
    "Headers": lambda _: ("text", Headers({"X-A": ["1", "2"]})),
    "header number": lambda _: ("text", {"X-A": 1}),
    "header with line break": lambda _: ("text", {"X-A": "a\r\nb"}),
    "header beyond Latin-1": lambda _: ("text", {"X-A": "€"}),
    "header lists": lambda _: ({"a": 1}, {"X-A": ["1", "2"]}),
    "status and headers": lambda _: ({"a": 1}, 202, {"x-a": "1", "content-type": "a/b"}),
    "list, status and headers": lambda _: ([1], "201 Made", [("X-A", "é")]),
    "length header": lambda _: ("text", {"Content-Length": "2"}),
    "location header": lambda _: ("", 302, {"Location": "/é?a=ü b"}),
    "no headers": lambda _: ("text", 200, {}),
    "headers None": lambda _: ("text", 200, None),
    "bytes and status": lambda _: (b"b", 201),
    "pieces and status": lambda log: (pieces(log), 201, {"X-A": "1"}),
    "response and status": lambda _: (flask.Response("r", headers={"X-A": "0"}), 201, {"X-A": "1"}),
    "jsonify and status": lambda _: (flask.jsonify(a=1), 201),
    "one in a tuple": lambda _: ("text",),
    "four in a tuple": lambda _: ("text", 200, {}, 1),
    "tuple in a tuple": lambda _: (("text", 201), 202),
    "None and status": lambda _: (None, 204),
    "response": lambda _: flask.Response("r", 207, {"X-A": "1"}, mimetype="text/x"),
    "empty response": lambda _: flask.Response(status=204),
    "response of list": lambda _: flask.Response(["a", b"b"]),
    "direct passthrough": lambda _: flask.Response([b"a"], direct_passthrough=True),
    "response with json type": lambda _: flask.Response('{"a":1}', content_type="application/json"),
    "plain response": lambda _: PlainResponse("plain", 206),
    "made": lambda _: flask.make_response({"a": 1}, 201),
    "cookies": with_cookies,
    "on close": with_close,
    "conditional": conditional,
    "file": sent_file,
    "redirect": lambda _: flask.redirect("/leaf"),
    "redirect 308": lambda _: flask.redirect(flask.url_for("leaf"), 308),
    "wsgi": lambda _: wsgi_application,
    "exception": lambda _: ValueError("returned"),
    "http exception": lambda _: exceptions.Gone("returned"),
    "none": lambda _: None,
    "number": lambda _: 42,
    "float": lambda _: 1.5,
    "true": lambda _: True,
    "set": lambda _: {1},
    "object": lambda _: object(),
    "markup": lambda _: Markup("<i>"),
    "str subclass": lambda _: type("Text", (str,), {})("sub"),
    "dict subclass": lambda _: type("Table", (dict,), {})(a=1),
    "piste": lambda _: Piste("a", 1),
    "template": lambda _: flask.render_template_string("{{ who }}"),
    "memory": lambda _: memoryview(b"x"),
}
