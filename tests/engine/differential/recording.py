"""What an application does, written down so that two of them can be compared."""

from __future__ import annotations

import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import Any
from unittest.mock import patch

import flask.sessions
from itsdangerous import TimestampSigner
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

#: The name of every application of the population, and thereby of its logger.
NAME = "population"
NOW = datetime(2024, 2, 29, 12, tzinfo=UTC)
ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


class Recorder:
    """The diary of one application: what it called, in order, with which arguments."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        #: How many requests are inside each other.
        self.depth = 0
        #: Signals that are of no interest at the moment.
        self.unheard: set[str] = set()
        #: The session cookie that the last answer set.
        self.kept = ""

    def note(self, *event: Any) -> None:
        """Write an event down."""
        self.events.append(tuple(plain(it) for it in event))

    def perform(
        self, steps: tuple[str, ...], known: Mapping[str, Callable[[Recorder], Any]]
    ) -> None:
        """Do what the steps are the names of, and write down what came of each."""
        for step in steps:
            try:
                self.note("step", step, known[step](self))
            except BaseException as error:
                self.note("step", step, error)
                raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read a stream within its request, not hearing that Flask pushes its context again.

        A `Service` has one context for request and application, which is pushed already.
        """
        unheard, self.unheard = self.unheard, {"appcontext_pushed", "appcontext_popped"}
        try:
            yield
        finally:
            self.unheard = unheard

    def taken(self) -> list[tuple[Any, ...]]:
        """Give the events since the last time."""
        events, self.events = self.events, []
        return events


def plain(value: Any) -> Any:
    """Turn a value into one that can be compared and read."""
    for kind, as_plain in FORMS:
        if isinstance(value, kind):
            return as_plain(value)
    return f"a {type(value).__name__}"


def _many(values: Any) -> tuple[Any, ...]:
    return tuple(plain(it) for it in values)


def _error(error: BaseException) -> tuple[str, str]:
    return type(error).__name__, ADDRESS.sub("0x", str(error))


def _rule(rule: Rule) -> tuple[Any, ...]:
    return "Rule", rule.rule, rule.endpoint, sorted(rule.methods or ())


def _response(response: Response) -> tuple[Any, ...]:
    return type(response).__name__, response.status, dated(list(response.headers))


FORMS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    ((str, bytes, int, float, type(None)), lambda it: it),
    (MultiDict, lambda it: _many(it.items(multi=True))),
    (Headers, _many),
    (Mapping, lambda it: _many(it.items())),
    ((tuple, list), _many),
    ((set, frozenset), lambda it: tuple(sorted(map(str, it)))),
    (BaseException, _error),
    (Rule, _rule),
    (Response, _response),
    (Request, lambda it: (type(it).__name__, it.method, it.path)),
)


def dated(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Give headers without the time of day, which passes between two answers."""
    return [(name, "now" if name == "Date" else value) for name, value in headers]


class StoppedClock(datetime):
    """The time for session cookies that expire."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # noqa: ARG003  # as it is called
        """Give always the same moment."""
        return NOW


class LogRecords(logging.Handler):
    """Write an application's log into a diary."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def emit(self, record: logging.LogRecord) -> None:
        """Note the level, the message and the exception."""
        error = record.exc_info[1] if record.exc_info else None
        self.recorder.note("log", record.levelname, record.getMessage(), error)


@contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Stop the clock of sessions, and note log records and errors that nobody can catch.

    Warnings, such as that of a large cookie, pass as they do in production.
    """
    logger, handler = logging.getLogger(NAME), LogRecords(recorder)
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            patch.object(TimestampSigner, "get_timestamp", lambda self: int(NOW.timestamp())),
            patch.object(flask.sessions, "datetime", StoppedClock),
            patch.object(sys, "unraisablehook", lambda it: recorder.note("lost", it.exc_value)),
        ):
            yield
    finally:
        logger.removeHandler(handler)
