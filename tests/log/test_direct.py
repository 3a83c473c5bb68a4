from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from buttress.log.access import logger
from buttress.log.direct import sole_formatter
from buttress.log.output import OUTPUT
from buttress.log.text import TextFormatter
from tests.log.alone import alone

Patch = pytest.MonkeyPatch


def test_formatter_where_nothing_else_sees_the_record() -> None:
    """With JSON and our handler alone, the formatter is given."""
    with alone() as log:
        assert sole_formatter(logger) is log.formatter


def test_silent_logger_in_between() -> None:
    """A logger above that has no handler, as LOG_LEVELS makes it, changes nothing."""
    with alone() as log:
        logging.getLogger("request")
        assert sole_formatter(logger) is log.formatter


def above(**attributes: Any) -> SimpleNamespace:
    """Stand in for a logger between the one for access records and the root."""
    return SimpleNamespace(
        **{"handlers": [], "propagate": True, "parent": logging.root, **attributes}
    )


def patched(owner: object, name: str, value: object) -> Callable[[Patch], None]:
    """Give a function that changes an attribute for the test."""
    return lambda monkeypatch: monkeypatch.setattr(owner, name, value)


CHANGES = {
    "a second handler": patched(logging.root, "handlers", [OUTPUT.handler, logging.NullHandler()]),
    "another handler": patched(logging.root, "handlers", [logging.NullHandler()]),
    "no handler": patched(logging.root, "handlers", []),
    "a handler of its own": patched(logger, "handlers", [logging.NullHandler()]),
    "a handler above": patched(logger, "parent", above(handlers=[logging.NullHandler()])),
    "an end above": patched(logger, "parent", above(propagate=False)),
    "nothing above": patched(logger, "parent", None),
    "no propagation": patched(logger, "propagate", False),
    "a filter": patched(logger, "filters", [logging.Filter()]),
    "a disabled logger": patched(logger, "disabled", True),
    "a filter of the handler": patched(OUTPUT.handler, "filters", [logging.Filter()]),
    "a level of the handler": patched(OUTPUT.handler, "level", logging.WARNING),
    "another style": patched(OUTPUT.handler, "formatter", TextFormatter("%(message)s", "%s.%d")),
    "no process ids": patched(logging, "logProcesses", False),
    "a patched makeRecord": patched(logging.Logger, "makeRecord", lambda *_: None),
    "a patched handle": patched(logging.Logger, "handle", lambda *_: None),
    "a patched callHandlers": patched(logging.Logger, "callHandlers", lambda *_: None),
    "a logger class": patched(logger, "__class__", type("Own", (logging.Logger,), {"handle": id})),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_formatter_where_anything_else_has_a_say(
    monkeypatch: Patch, change: Callable[[Patch], None]
) -> None:
    """Whatever would see, change or drop a record is asked; once it is gone the way is short."""
    with alone() as log:
        with monkeypatch.context() as changed:
            change(changed)
            assert sole_formatter(logger) is None
        assert sole_formatter(logger) is log.formatter


def test_record_factory() -> None:
    """A factory of records that the application has set is asked."""
    standard = logging.getLogRecordFactory()
    with alone() as log:
        logging.setLogRecordFactory(lambda *given, **named: standard(*given, **named))
        found: Any = sole_formatter(logger)
        logging.setLogRecordFactory(standard)
        assert (found, sole_formatter(logger)) == (None, log.formatter)


def test_after_the_last_close() -> None:
    """Without an open log there is no short way."""
    with alone() as log:
        OUTPUT.close(log)
        assert sole_formatter(logger) is None


def test_tool_that_came_first() -> None:
    """A monitoring tool that has wrapped Python's logging before this is loaded is asked too."""
    code = (
        "import functools, logging\n"
        "inner = logging.Logger.callHandlers\n"
        "outer = functools.wraps(inner)(lambda self, record: inner(self, record))\n"
        "logging.Logger.callHandlers = outer\n"
        "from buttress.log.direct import sole_formatter\n"
        "from buttress.log import Log, LogSettings\n"
        "from buttress.log.output import OUTPUT\n"
        "OUTPUT.open(log := Log('shop', LogSettings(style='json'), 'production'))\n"
        "print(sole_formatter(logging.getLogger('request.summary')))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "None\n"
