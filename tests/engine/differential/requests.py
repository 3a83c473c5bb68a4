"""From the description of a request to a WSGI environ."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import cache
from typing import Any
from unittest.mock import patch

import flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import TimestampSigner

from tests.engine.differential.description import Call
from tests.engine.differential.recording import NAME, NOW, Recorder

SECRET = "a secret of the population"
FORM = "application/x-www-form-urlencoded"
MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--x\r\nContent-Disposition: form-data; name="f"; filename="n.txt"\r\n\r\nfile\r\n--x--\r\n'
)


@dataclass(frozen=True)
class Body:
    """A body, its type, and its length where the header shall say something else."""

    data: bytes = b""
    kind: str | None = None
    length: str | None = ""
    is_chunked: bool = False


BODIES: dict[str, Body] = {
    "json": Body(json.dumps({"a": [1, "é", None]}).encode(), "application/json"),
    "json of another type": Body(b'{"a": 1}', "application/vnd.x+json; charset=utf-8"),
    "bad json": Body(b'{"a": ', "application/json"),
    "json that is not text": Body(b"\xff\xfe", "application/json"),
    "no json at all": Body(b"", "application/json"),
    "json without a type": Body(b'{"a": 1}', None),
    "form": Body(b"a=1&a=2&b=%C3%A9&c", FORM),
    "form that is not text": Body(b"a=\xff&%ff=1", FORM),
    "multipart": Body(MULTIPART, "multipart/form-data; boundary=x"),
    "broken multipart": Body(MULTIPART[:60], "multipart/form-data; boundary=x"),
    "multipart without boundary": Body(MULTIPART, "multipart/form-data"),
    "text": Body(b"plain text", "text/plain"),
    "large": Body(b"x" * 5000, "application/octet-stream"),
    "chunked": Body(b'{"a": 1}', "application/json", None, is_chunked=True),
    "no length": Body(b'{"a": 1}', "application/json", None),
    "length too small": Body(b'{"a": 1}', "application/json", "3"),
    "length too large": Body(b'{"a": 1}', "application/json", "300"),
    "length that is none": Body(b"abc", FORM, "abc"),
    "negative length": Body(b"abc", FORM, "-1"),
}

COOKIES = ("good", "tampered", "junk", "kept", "many", "empty", "permanent")


@cache
def signed_session(*, permanent: bool) -> str:
    """Give a session as the population's key signs it."""
    app = flask.Flask(NAME)
    app.secret_key = SECRET
    values = {"user": "bob", "list": [1], "_permanent": permanent}
    with patch.object(TimestampSigner, "get_timestamp", lambda self: int(NOW.timestamp())):
        signer = SecureCookieSessionInterface().get_signing_serializer(app)
        return str(signer.dumps(values))


def cookie_header(name: str, recorder: Recorder) -> str:
    """Give the text of a cookie header by its name."""
    good = signed_session(permanent=False)
    return {
        "good": f"session={good}",
        "permanent": f"session={signed_session(permanent=True)}",
        "tampered": f"session={good[:-2]}xx",
        "junk": "session=é; ;=;a",
        "kept": f"session={recorder.kept}",
        "many": f'x=1; session={good}; y="2\\073"; x=3',
        "empty": "",
    }[name]


def environ_of(call: Call, recorder: Recorder) -> dict[str, Any]:
    """Make the environ of a request as a server would."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": call.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": call.query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **body_of(call),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in call.headers},
    }
    if call.cookie is not None:
        environ["HTTP_COOKIE"] = cookie_header(call.cookie, recorder)
    environ.update(call.environ)
    return {name: value for name, value in environ.items() if value is not None}


def body_of(call: Call) -> dict[str, Any]:
    """Give what the environ says about the body."""
    body = BODIES[call.body] if call.body else Body(length=None)
    return {
        "wsgi.input": io.BytesIO(body.data),
        "CONTENT_TYPE": body.kind,
        "CONTENT_LENGTH": str(len(body.data)) if body.length == "" else body.length,
        "wsgi.input_terminated": True if body.is_chunked else None,
        "HTTP_TRANSFER_ENCODING": "chunked" if body.is_chunked else None,
    }
