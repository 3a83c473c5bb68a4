"""Why a request is let pass or refused, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flask import request
from werkzeug.exceptions import HTTPException

from buttress.auth.authenticators import Refused, Trace
from buttress.auth.principal import Principal
from buttress.auth.routes import asked_by

if TYPE_CHECKING:
    from buttress.service import Service


def explain(
    app: Service, method: str, path: str, headers: Iterable[tuple[str, str]]
) -> Iterator[str]:
    """Say how a request would be decided, a line for each step; its view is not called.

    A name and a password count as an attempt.
    """
    with app.test_request_context(path, method=method, headers=list(headers)):
        if request.routing_exception is not None:
            yield f"route: none ({_told(request.routing_exception)}), so nothing is asked for"
            return
        asked = asked_by(app, request.endpoint) or app.auth.default
        yield f"route: {request.endpoint}, which asks for: {asked}"
        trace = Trace()
        try:
            principal = app.auth.access.recognise(request, trace)
        except Refused as refused:
            yield from _notes(trace)
            yield f"{refused.by}: refused: {refused}"
            yield "decision: 401"
            return
        except HTTPException as error:
            yield from _notes(trace)
            yield f"decision: {_told(error)}"
            return
        yield from _notes(trace)
        yield from _seen(app, trace)
        yield _known(principal)
        if asked.public:
            yield "decision: passes, for auth asks for nothing here"
        elif not principal:
            yield "decision: 401, for nobody is known"
        elif missing := asked.missing(principal):
            yield f"decision: 403, for the scopes lack {' '.join(missing)}"
        else:
            yield "decision: passes"


def _notes(trace: Trace) -> Iterator[str]:
    for note in trace:
        yield f"{note.by}: {note.text}"


def _seen(app: Service, trace: Trace) -> Iterator[str]:
    """Name the authenticators that found nothing of theirs."""
    saw = {note.by for note in trace}
    for authenticator in app.auth.access.authenticators:
        if authenticator.name not in saw:
            yield f"{authenticator.name}: no credentials of this kind"


def _known(principal: Principal) -> str:
    if not principal:
        return "principal: nobody"
    scopes = " ".join(sorted(principal.scopes)) or "none"
    return f"principal: {principal.id} ({principal.kind}, by {principal.by}), scopes: {scopes}"


def _told(error: HTTPException) -> str:
    return f"{error.code} {error.name}"
