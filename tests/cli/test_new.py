"""``buttress new``: what it writes serves at once, and its test passes."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from buttress.cli.project import layouts
from tests.cli.process import call, call_program, serving, stop
from tests.cli.shop import Run, Write

TARGETS = {"gnar": "shop.app.main", "backend": "shop.flask", "services": "shop.flask"}


@pytest.fixture(scope="module", params=layouts())
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a project of each layout, and give its folder; the layout is the folder's name."""
    folder = tmp_path_factory.mktemp("new") / str(request.param)
    folder.mkdir()
    result = call(folder, "new", "shop", "--layout", str(request.param))
    assert result.stdout == "shop is written. Start it with: cd shop && buttress run\n"
    return folder / "shop"


def test_serves_at_once(written: Path) -> None:
    """A new project is served by the command alone, and ends with exit code 0 on SIGTERM."""
    with serving(written, "--set", "DRAIN_GRACE=0.1") as (process, url):
        with urlopen(f"{url}/greeting/world", timeout=5) as answer:
            assert answer.read().strip() == b'{"greeting":"Hello, world!"}'
        assert stop(process) == 0


def test_its_test_passes(written: Path) -> None:
    """The test of a new project passes."""
    result = call_program(Path(sys.executable), written, "-m", "pytest", "-q", "-W", "error")
    assert (result.returncode, " passed" in result.stdout) == (0, True), result.stdout


def test_check_passes(written: Path) -> None:
    """There is nothing to mend in a new project, and no warning."""
    result = call(written, "check")
    assert (result.returncode, result.stderr) == (0, "")


def test_flask_command(written: Path) -> None:
    """The ``flask`` command works on a new project."""
    flask = Path(sys.executable).with_name("flask")
    target = TARGETS[written.parent.name]
    result = call_program(flask, written, "routes", FLASK_APP=target)
    assert "/greeting/<name>" in result.stdout, result.stderr


def test_default_layout(project: Write, run: Run) -> None:
    """Without --layout the layout is that of Gnar Gear."""
    folder = project({})
    assert run("new", "shop").exit_code == 0
    assert (folder / "shop" / "shop" / "app" / "main.py").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("my-shop",), "A project cannot be named 'my-shop'"),
        (("shop", "--layout", "gnarly"), "'gnarly' is not one of 'backend', 'gnar', 'services'"),
        ((), "Missing argument 'NAME'"),
        (("taken",), "'taken' is here already and not empty: choose another name."),
    ],
)
def test_mistakes(project: Write, run: Run, arguments: tuple[str, ...], message: str) -> None:
    """A mistake is named, with exit code 2, and nothing is written."""
    folder = project({"taken/file": ""})
    result = run("new", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert [it.name for it in folder.iterdir()] == ["taken"]
