"""One description, two applications, the same requests: what differs?"""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import copy_context
from typing import Any
from unittest.mock import patch

import flask
import flask.signals

from buttress import Service
from buttress.engine.request import input_stream
from tests.engine.differential.building import build
from tests.engine.differential.calling import Outcome, ask
from tests.engine.differential.changes import CHANGES
from tests.engine.differential.description import Case, Change
from tests.engine.differential.recording import NAME, Recorder, plain, recording

SIGNALS = {name: it for name, it in vars(flask.signals).items() if hasattr(it, "connected_to")}


def run(case: Case, kind: type[flask.Flask]) -> list[Outcome]:
    """Build the application as a ``kind``, and do with it what the case says.

    No body is cut, where Werkzeug would do that.
    """
    recorder = Recorder()
    bounded = patch("werkzeug.wrappers.request.get_input_stream", input_stream)
    with recording(recorder), bounded, ExitStack() as stack:
        try:
            app = build(case.app, kind, recorder)
        except (ValueError, AssertionError, TypeError, SyntaxError) as error:
            return [Outcome(errors=(("building", plain(error)),))]
        listen(case.app.signals, app, recorder, stack)
        outcomes = [act_on(app, act, recorder) for act in case.acts]
        app.extensions.clear()
        gc.collect()
        outcomes[-1].events += tuple(recorder.taken())
        return outcomes


def act_on(app: flask.Flask, act: Any, recorder: Recorder) -> Outcome:
    """Make a request or a change.

    Setup ends with the first request, where Flask lets it go on if that failed before its dispatch.
    """
    if isinstance(act, Change):
        CHANGES[act.what](app, recorder)
        return Outcome(events=tuple(recorder.taken()))
    outcome = ask(app, act, recorder)
    app._got_first_request = True
    return outcome


def listen(who: str | None, app: flask.Flask, recorder: Recorder, stack: ExitStack) -> None:
    """Connect receivers to every signal, one of which may fail."""
    for name, signal in SIGNALS.items() if who else ():
        receiver = receiver_of(name, recorder, fails=name == who)
        senders = () if who == "any" else (app,)
        stack.enter_context(signal.connected_to(receiver, *senders))


def receiver_of(name: str, recorder: Recorder, *, fails: bool) -> Callable[..., None]:
    """Make the receiver of a signal."""

    def receiver(sender: Any, **values: Any) -> None:
        if getattr(sender, "name", None) == NAME and name not in recorder.unheard:
            recorder.note("signal", name, values)
            if fails:
                raise RuntimeError(f"receiver of {name}")

    return receiver


def compare(case: Case) -> list[Outcome]:
    """Run the case on both; raises `AssertionError` where they differ, else gives the outcomes.

    Where Flask itself leaves a context behind, which an error while it makes or leaves one brings
    about, nothing that follows can be compared.
    """
    expected = copy_context().run(run, case, flask.Flask)
    actual = copy_context().run(run, case, Service)
    for number, (one, two) in enumerate(zip(expected, actual, strict=True)):
        if one.leaks:
            return expected[:number]
        if one != two:
            act = case.acts[number] if number < len(case.acts) else "building it"
            differences = one.differences(two)
            raise AssertionError(f"act {number}, {act!r}, differs in\n{differences}\nin {case!r}")
    return expected
