"""Run pytest with another class in the place of `flask.Flask`, and write down what came of it.

Run as a script: ``stand_in.py MODULE:CLASS OUTCOMES [pytest's arguments]``. It is in a process of
its own, because the class must be in place before the tests are imported.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

import flask
import flask.app
import pytest


class Recorder:
    """A pytest plugin that keeps the outcome of each test: ``passed``, or what went wrong."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the outcome of one phase, unless an earlier phase of the test went wrong."""
        if self.outcomes.get(report.nodeid, "passed") == "passed":
            self.outcomes[report.nodeid] = _outcome(report)


def _outcome(report: pytest.TestReport) -> str:
    if report.passed:
        return "passed"
    crash = getattr(report.longrepr, "reprcrash", None)
    reason = str(crash.message if crash else report.longrepr)
    return f"{report.outcome} in {report.when}: {reason}"


def count(owner: type, method: str, counter: Counter[str], name: str) -> None:
    """Count the calls of a method under a name."""
    original: Callable[..., Any] = getattr(owner, method)

    @wraps(original)
    def counted(*args: Any) -> Any:
        counter[name] += 1
        return original(*args)

    setattr(owner, method, counted)


def stand_in(name: str) -> Counter[str]:
    """Put the named class in the place of `flask.Flask` and count the requests that it gets.

    Those that it leaves to Flask are counted for Flask too.
    """
    calls: Counter[str] = Counter()
    module, _, attribute = name.partition(":")
    application = getattr(import_module(module), attribute)
    count(application, "wsgi_app", calls, attribute)
    if application is not flask.Flask:
        count(application, "uncompiled_wsgi_app", calls, "Flask")
        flask.Flask = flask.app.Flask = application  # type: ignore[misc]  # the purpose of this file
    return calls


def main(name: str, outcomes: str, *arguments: str) -> None:
    """Run the tests and write the outcomes and the calls as JSON."""
    calls = stand_in(name)
    recorder = Recorder()
    pytest.main(list(arguments), plugins=[recorder])
    found = {
        "application": f"{flask.Flask.__module__}:{flask.Flask.__name__}",
        "outcomes": recorder.outcomes,
        "calls": calls,
    }
    Path(outcomes).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
