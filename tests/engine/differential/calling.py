"""Asking an application, and writing down everything that can be seen of the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from typing import Any

import flask

from tests.engine.differential.description import Call
from tests.engine.differential.recording import NAME, Recorder, dated, plain
from tests.engine.differential.requests import BODIES, cookie_header, environ_of


@dataclass
class Outcome:
    """What can be seen of one answer."""

    status: Any = None
    headers: Any = None
    has_exc_info: bool = False
    starts: int = 0
    body: bytes = b""
    #: What escaped: from the call, from the iteration, from the closing.
    errors: tuple[Any, ...] = ()
    #: The contexts that are pushed after the call, and after the closing.
    contexts: tuple[Any, ...] = ()
    #: Whether a context was or is still pushed at the end.
    leaks: bool = False
    #: What the environ holds besides what the server put there, and how much of the body is read.
    environ: tuple[Any, ...] = ()
    events: tuple[Any, ...] = ()

    def differences(self, other: Outcome) -> str:
        """Name what differs, one line for each of the two."""
        pairs = ((it.name, getattr(self, it.name), getattr(other, it.name)) for it in fields(self))
        return "\n".join(
            f"  {name}:\n    flask   {one!r}\n    service {two!r}"
            for name, one, two in pairs
            if one != two
        )


def ask(app: flask.Flask, call: Call, recorder: Recorder) -> Outcome:
    """Make one request, in the way that its description says."""
    outcome = Outcome()
    try:
        WAYS[call.via](app, call, recorder, outcome)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # what escapes is what is compared
        outcome.errors += (("escaped", plain(error)),)
    wrong = any("Popped wrong" in str(error) for error in outcome.errors)
    outcome.leaks = wrong or flask.has_app_context() or flask.has_request_context()
    outcome.events = tuple(recorder.taken())
    recorder.kept = _session_of(outcome.headers) or recorder.kept
    return outcome


def by_wsgi(app: flask.Flask, call: Call, recorder: Recorder, outcome: Outcome) -> None:
    """Call the application as a server does."""
    environ = environ_of(call, recorder)
    own = set(environ)

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Callable[..., Any]:
        outcome.status, outcome.headers = status, dated(list(headers))
        outcome.has_exc_info, outcome.starts = exc_info is not None, outcome.starts + 1
        return lambda data: None

    try:
        pieces = app(environ, start_response)
        outcome.contexts += _pushed()
        _read(pieces, call.reads, outcome)
    finally:
        outcome.contexts += _pushed()
        added = sorted(set(environ) - own - {"werkzeug.request"})
        outcome.environ = (added, environ["wsgi.input"].tell())


def _read(pieces: Iterable[bytes], reads: str, outcome: Outcome) -> None:
    try:
        for piece in pieces if reads != "nothing" else ():
            outcome.body += piece
            if reads == "first piece":
                break
    except Exception as error:  # noqa: BLE001  # what escapes is what is compared
        outcome.errors += (("iteration", plain(error)),)
    finally:
        getattr(pieces, "close", lambda: None)()


def _pushed() -> tuple[Any, ...]:
    return ((flask.has_request_context(), flask.has_app_context()),)


def _session_of(headers: Any) -> str | None:
    texts = (value for name, value in headers or () if name == "Set-Cookie")
    found = (re.match(r"session=([^;]*)", text) for text in texts)
    return next((it[1] for it in found if it), None)


def inside(
    context: Callable[[flask.Flask], AbstractContextManager[Any]],
) -> Callable[..., None]:
    """Give the way of calling an application while a context is pushed."""

    def way(app: flask.Flask, call: Call, recorder: Recorder, outcome: Outcome) -> None:
        with context(app):
            flask.g.outer = 1
            by_wsgi(app, call, recorder, outcome)
            outcome.contexts += (sorted(flask.g),)

    return way


def by_client(app: flask.Flask, call: Call, recorder: Recorder, outcome: Outcome) -> None:
    """Use Flask's test client."""
    _open(app.test_client(), call, recorder, outcome)


def by_client_that_keeps(
    app: flask.Flask, call: Call, recorder: Recorder, outcome: Outcome
) -> None:
    """Use Flask's test client as a context manager, and look at the request afterwards."""
    with app.test_client() as client:
        _open(client, call, recorder, outcome)
        seen = (flask.request.path, flask.request.endpoint, sorted(flask.g), dict(flask.session))
        outcome.contexts += (*_pushed(), plain(seen))


def _open(client: Any, call: Call, recorder: Recorder, outcome: Outcome) -> None:
    body = BODIES[call.body] if call.body else None
    headers = [*call.headers]
    if call.cookie:
        headers.append(("Cookie", cookie_header(call.cookie, recorder)))
    response = client.open(
        call.path,
        method=call.method,
        query_string=call.query,
        headers=headers,
        data=body.data if body else None,
        content_type=body.kind if body else None,
    )
    outcome.status, outcome.headers = response.status, dated(list(response.headers))
    outcome.body = response.get_data()
    response.close()


def by_hand(app: flask.Flask, call: Call, recorder: Recorder, outcome: Outcome) -> None:
    """Push a request context, and dispatch as tests and shells do."""
    with app.request_context(environ_of(call, recorder)):
        before = app.preprocess_request()
        response = app.full_dispatch_request()
        outcome.status = (plain(before), response.status)
        outcome.headers = dated(list(response.headers))
        response.close()


def with_preserved(app: flask.Flask, call: Call, recorder: Recorder, outcome: Outcome) -> None:
    """Ask for the contexts, as werkzeug's debugger does."""

    def preserve(context: Any) -> None:
        is_request = hasattr(context, "request")
        recorder.note("preserved", is_request, context.app.name, context is not None)

    environ = {**call.environ, "werkzeug.debug.preserve_context": preserve}
    by_wsgi(app, Call(**{**vars(call), "environ": environ}), recorder, outcome)


WAYS: dict[str, Callable[..., None]] = {
    "wsgi": by_wsgi,
    "client": by_client,
    "client that keeps": by_client_that_keeps,
    "inside its app context": inside(lambda app: app.app_context()),
    "inside its request context": inside(lambda app: app.test_request_context("/outer")),
    "inside another app": inside(lambda app: flask.Flask(NAME).test_request_context("/other")),
    "by hand": by_hand,
    "preserved": with_preserved,
}
