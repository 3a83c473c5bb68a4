from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.flask_suite.run import environment, run

SUITE = """
import flask
import pytest

def test_class():
    assert flask.Flask.__name__ == "Flask"

def test_request():
    assert flask.Flask(__name__).test_client().get("/").status_code == 404

@pytest.fixture
def untidy():
    yield
    raise OSError("untidy")

def test_teardown(untidy):
    pass

def test_skipped():
    pytest.skip("no time")
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Write a suite of four tests, one of which knows the class."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_it.py").write_text(SUITE, encoding="utf-8")
    return tmp_path


def test_outcomes_are_kept_by_test(suite: Path) -> None:
    """A test has passed when each of its phases has; otherwise the outcome says why."""
    found = run("flask.app:Flask", suite, suite)
    assert found.application == "flask.app:Flask"
    assert found.outcomes["tests/test_it.py::test_class"] == "passed"
    teardown = found.outcomes["tests/test_it.py::test_teardown"]
    assert teardown == "failed in teardown: OSError: untidy"
    assert "no time" in found.outcomes["tests/test_it.py::test_skipped"]
    assert found.passed == {f"tests/test_it.py::test_{it}" for it in ("class", "request")}


def test_other_class_stands_in(suite: Path) -> None:
    """The tests get the class that was named, and a failure is told with its reason."""
    found = run("buttress.service:Service", suite, suite)
    assert found.passed == {"tests/test_it.py::test_request"}
    told = found.describe(["tests/x.py::test_y", "tests/test_it.py::test_class"]).splitlines()
    assert told[0].startswith("tests/test_it.py::test_class: failed in call: AssertionError: ")
    assert told[-1] == "tests/x.py::test_y: was not run"


def test_calls_are_counted(suite: Path) -> None:
    """Requests are counted by the class whose ``wsgi_app`` they go through."""
    assert run("flask.app:Flask", suite, suite).calls == {"Flask": 1}
    assert run("buttress.service:Service", suite, suite).calls["Service"] == 1


def test_our_own_run_stays_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options and plugins of the run that we are in do not reach the other one."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "--timeout=1")
    mine = environment()
    assert {name for name in mine if name.startswith("PYTEST")} == {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
    }
