"""Requests that are malformed or absurd: never a 5xx, and nothing that Flask would not answer."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask
import pytest

from buttress import Service
from tests.servers import require_server
from tests.serving.running import Running, write_service

PATHS = {
    "not UTF-8": "/text/\xff\xfe",
    "half of a character": "/text/\xc3",
    "zero byte": "/text/a\x00b",
    "line breaks": "/text/a\r\nX-Evil: 1",
    "64 kB": "/text/" + "a" * 65536,
    "64 kB of slashes": "/" * 65536,
    "64 kB of parts": "/a" * 32768,
    "64 kB of digits": "/number/" + "9" * 65536,
    "digits of another script": "/number/٣".encode().decode("latin-1"),
    "doubled slashes": "//text//a",
    "upwards": "/text/../../etc/passwd",
    "percent signs": "/text/%00%ff%zz%",
    "empty": "",
    "no slash": "text/a",
    "asterisk": "*",
    "a whole address": "http://other.test/text/a",
    "surrogates": "/text/\xed\xa0\x80",
}
QUERIES = {
    "100 kB": "a=" + "x" * 100_000,
    "100,000 ampersands": "&" * 100_000,
    "100,000 values": "a=1&" * 100_000,
    "not UTF-8": "a=\xff\xfe&\xff=1",
    "escaped bytes": "a=%ff%fe&%ff=%00",
    "broken escapes": "a=%&b=%z&%",
    "equals signs": "=" * 1000,
    "zero byte": "a=\x00",
}
LENGTHS = (
    *("abc", "-1", "1e3", " 5", "5 ", "+5", "0x5", "", "9" * 400, "5, 5", "5.0"),
    *("\u0665", "\xff"),
)
HEADERS = {
    "cookie without a name": {"HTTP_COOKIE": "=;=;;; =a"},
    "cookie not UTF-8": {"HTTP_COOKIE": "session=\xff\xfe; \xff=1"},
    "cookie with quotes": {"HTTP_COOKIE": 'session="\\999\\08; a="'},
    "1,000 cookies": {"HTTP_COOKIE": "; ".join(f"c{it}=1" for it in range(1000))},
    "large session": {"HTTP_COOKIE": "session=" + "A" * 100_000},
    "session that decompresses to nothing": {"HTTP_COOKIE": "session=.eJw.AAAA.BBBB"},
    "accept without end": {"HTTP_ACCEPT": ",".join(["a/b;q=0.5"] * 5000)},
    "accept that is none": {"HTTP_ACCEPT": ";q=;,;;/,\xff/*;q=9e999,*;q=nan"},
    "header not UTF-8": {"HTTP_X_TOKEN": "\xff\xfe", "HTTP_USER_AGENT": "\xff"},
    "host not UTF-8": {"HTTP_HOST": "\xff\xfe"},
    "host with a path": {"HTTP_HOST": "a/b?c"},
    "host with a port that is none": {"HTTP_HOST": "localhost:abc"},
    "type that is none": {"CONTENT_TYPE": ";;;=;charset=\xff"},
    "charset that is none": {"CONTENT_TYPE": "application/json; charset=none"},
    "form without boundary": {"CONTENT_TYPE": "multipart/form-data"},
    "form with a large boundary": {"CONTENT_TYPE": "multipart/form-data; boundary=" + "b" * 9999},
    "range that is none": {"HTTP_RANGE": "bytes=--1,,9-1"},
    "date that is none": {"HTTP_IF_MODIFIED_SINCE": "yesterday\xff"},
    "authorization that is none": {"HTTP_AUTHORIZATION": "Basic \xff\xff="},
    "forwarded": {"HTTP_X_FORWARDED_FOR": ",,\xff," * 1000},
}


def furnished(kind: type[flask.Flask]) -> flask.Flask:
    """Make an application that looks at everything that a request holds."""
    app = kind("shop")
    app.secret_key = "kG8wqP2vXz5nB7mL4tR9yH3jF6dS1aC0"
    app.add_url_rule("/text/<path:text>", "text", seen, methods=["GET", "POST"])
    app.add_url_rule("/number/<int:number>", "number", seen)
    app.add_url_rule("/", "index", seen, methods=["GET", "POST"])
    return app


def seen(**values: Any) -> dict[str, Any]:
    """Read the request in every way."""
    request = flask.request
    request.accept_mimetypes.best_match(["text/html", "application/json"])
    return {
        "values": {name: ascii(it) for name, it in values.items()},
        "args": len(request.args),
        "form": len(request.form),
        "json": request.get_json(silent=True),
        "length": request.content_length,
        "session": sorted(flask.session),
        "cookies": len(request.cookies),
        "headers": len(list(request.headers)),
        "url": ascii(request.url),
        "others": ascii((request.authorization, request.range, request.if_modified_since)),
    }


def answer(kind: type[flask.Flask], environ: dict[str, Any]) -> tuple[str, bytes]:
    """Give the status and the body that an application answers."""
    started: list[str] = []
    pieces = furnished(kind)(
        {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": "/",
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(b"a=1&b=2"),
            "wsgi.errors": io.StringIO(),
            **environ,
        },
        lambda status, headers, exc_info=None: started.append(status) or (lambda _: None),
    )
    body = b"".join(pieces)
    getattr(pieces, "close", lambda: None)()
    return started[-1], body


def expect_flasks_answer(environ: dict[str, Any]) -> None:
    """Expect what Flask answers, or a refusal; never an error, also where Flask has one."""
    expected, actual = answer(flask.Flask, environ), answer(Service, environ)
    assert actual[0] < "5"
    assert actual == expected or actual[0].startswith("4") or expected[0].startswith("5")


@pytest.mark.parametrize("path", PATHS)
def test_path(path: str) -> None:
    """A path that is malformed or absurd is answered as by Flask, or refused."""
    expect_flasks_answer({"PATH_INFO": PATHS[path]})


@pytest.mark.parametrize("query", QUERIES)
def test_query(query: str) -> None:
    """A query string that is malformed or absurd is answered as by Flask."""
    expect_flasks_answer({"PATH_INFO": "/text/a", "QUERY_STRING": QUERIES[query]})


@pytest.mark.parametrize("length", LENGTHS)
def test_content_length(length: str) -> None:
    """A length that is none is answered as by Flask, whatever the type of the body."""
    for kind in ("application/x-www-form-urlencoded", "application/json", ""):
        expect_flasks_answer(
            {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": length, "CONTENT_TYPE": kind}
        )


@pytest.mark.parametrize("headers", HEADERS)
def test_header(headers: str) -> None:
    """A header that is malformed or absurd is answered as by Flask, with or without a body."""
    for method in ("GET", "POST"):
        expect_flasks_answer({"REQUEST_METHOD": method, "CONTENT_LENGTH": "7", **HEADERS[headers]})


@pytest.mark.parametrize("method", ["get", "", "G T", "\xff", "X" * 10_000, "GET\x00"])
def test_method(method: str) -> None:
    """A method that is none is answered as by Flask."""
    expect_flasks_answer({"REQUEST_METHOD": method, "PATH_INFO": "/text/a"})


READINGS: dict[str, Callable[[], bytes]] = {
    "data": lambda: flask.request.get_data(),
    "stream": lambda: flask.request.stream.read(),
    "pieces": lambda: b"".join(iter(lambda: flask.request.stream.read(3), b"")),
    "lines": lambda: b"".join(flask.request.stream),
    "form": lambda: flask.request.form["a"].encode(),
}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize(("more", "status"), [(-1, "200 OK"), (0, "200 OK"), (1, "413")])
@pytest.mark.parametrize("length", [{}, {"CONTENT_LENGTH": ""}])
def test_longest_body(reading: str, more: int, status: str, length: dict[str, str]) -> None:
    """A body is refused where it is too long, and never cut; it may not have said its length."""
    app = Service("shop")
    app.config["MAX_CONTENT_LENGTH"] = 20
    app.add_url_rule("/", "read", READINGS[reading], methods=["POST"])
    body = b"a=" + b"x" * (18 + more)
    response = app.test_client().post(
        input_stream=io.BytesIO(body),
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"wsgi.input_terminated": True, **length},
    )
    assert response.status.startswith(status)
    assert response.status_code == 413 or body.endswith(response.data)


@pytest.fixture
def served(tmp_path: Path) -> Any:
    """Give a service behind granian, in a process of its own."""
    require_server("granian")
    running = Running(write_service(tmp_path), ["run.py"], {"SERVER": "granian"})
    yield running.until_ready()
    running.end()


RAW = {
    "path not UTF-8": b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n",
    "escaped zero byte": b"GET /%00 HTTP/1.1\r\nHost: a\r\n",
    "escaped bytes": b"GET /%ff%fe?%ff=%00 HTTP/1.1\r\nHost: a\r\n",
    "32 kB of path": b"GET /" + b"a" * 32768 + b" HTTP/1.1\r\nHost: a\r\n",
    "slashes": b"GET ///// HTTP/1.1\r\nHost: a\r\n",
    "ampersands": b"GET /?" + b"&" * 32768 + b" HTTP/1.1\r\nHost: a\r\n",
    "length that is none": b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n",
    "negative length": b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n",
    "header not UTF-8": b"GET / HTTP/1.1\r\nHost: a\r\nX-Token: \xff\xfe\r\nCookie: \xff=\xfe\r\n",
    "accept": b"GET / HTTP/1.1\r\nHost: a\r\nAccept: ;q=;,/;q=nan\r\n",
}


def test_over_the_wire(served: Running) -> None:
    """A server in front changes nothing: each is served or refused, and the next one is served."""
    for name, raw in RAW.items():
        received = served.send(raw + b"Connection: close\r\n\r\n")
        status = received.partition(b" ")[2][:3]
        assert status[:1] in (b"2", b"3", b"4"), f"{name}: {received[:80]!r}"
    assert served.ask("/").status == 200
