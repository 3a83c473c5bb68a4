"""One run of Flask's tests on one application class."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.engine.flask_suite import stand_in

PATIENCE = 50
"""Seconds that a run may take."""


@dataclass(frozen=True)
class Run:
    """Hold the outcomes of a run, by test, and how many requests each class answered."""

    application: str
    outcomes: dict[str, str]
    calls: dict[str, int]

    @property
    def passed(self) -> set[str]:
        """Give the tests that passed."""
        return {test for test, outcome in self.outcomes.items() if outcome == "passed"}

    def describe(self, tests: Iterable[str]) -> str:
        """Say what became of each of some tests."""
        lines = (f"{test}: {self.outcomes.get(test, 'was not run')}" for test in sorted(tests))
        return "\n".join(lines)


def run(application: str, suite: Path, folder: Path) -> Run:
    """Run the tests below ``suite`` on a class, given as ``module:name``, in another process."""
    outcomes = folder / f"{application.partition(':')[2]}.json"
    arguments = [application, str(outcomes), "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(
        # -P: the folder of the script stays off the path of the tests.
        [sys.executable, "-P", stand_in.__file__, *arguments], cwd=suite, env=environment(),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert outcomes.exists(), done.stdout + done.stderr
    return Run(**json.loads(outcomes.read_text(encoding="utf-8")))


def environment() -> dict[str, str]:
    """Copy the environment without what concerns our own run of pytest."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {**ours, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
