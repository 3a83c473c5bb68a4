"""The private servers for the tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tools.services.place import says

Answers = dict[str, str]


def services(*arguments: str, folder: Path, **environ: str) -> tuple[int, Answers, str]:
    """Run the command; give its exit code, the URLs that it printed, and its complaints."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.services", *arguments],
        env={**os.environ, "SERVICES_FOLDER": str(folder), **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    urls = dict(re.findall(r"export (\w+)='(.+)'", done.stdout))
    return done.returncode, urls, done.stderr


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that the user of a server may enter, and stop what was started in it."""
    with TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        folder = Path(made) / "services"
        yield folder
        assert services("down", folder=folder)[0] == 0
        assert not folder.exists()


def port_of(url: str) -> int:
    """Give the port of a URL."""
    return int(url.rpartition(":")[2].partition("/")[0])


@pytest.mark.timeout(300)  # it may have to be installed
def test_a_server_starts_once_and_leaves_nothing(folder: Path) -> None:
    """It answers at the printed address and with the printed password, until it is stopped."""
    code, urls, complaints = services("up", "redis", folder=folder)
    if code != 0 and os.environ.get("CI") != "true":
        pytest.skip(f"no Redis is to be had: {complaints}")
    assert code == 0, complaints
    assert services("up", "redis", folder=folder)[:2] == (0, urls)
    assert services("status", folder=folder)[:2] == (0, urls)
    url = urls["TEST_REDIS_URL"]
    password = url.partition("default:")[2].partition("@")[0]
    assert says(port_of(url), f"AUTH {password}\r\nPING\r\n".encode(), b"+PONG")
    assert says(port_of(url), b"PING\r\n", b"-NOAUTH")
    assert services("down", "redis", folder=folder)[0] == 0
    assert not says(port_of(url), b"PING\r\n", b"")
    assert services("status", folder=folder)[:2] == (0, {})


def test_a_given_url_wins(folder: Path) -> None:
    """Nothing is started for a server whose URL the environment has."""
    given = {"TEST_REDIS_URL": "redis://elsewhere.test/0"}
    assert services("up", "redis", folder=folder, **given) == (0, given, "")
    assert not folder.exists()


def test_an_unknown_server_is_a_mistake(folder: Path) -> None:
    """The message names those that there are."""
    code, _, complaints = services("up", "oracle", folder=folder)
    assert code == 2
    assert "there is no oracle: choose from postgres, mariadb, redis, rabbitmq" in complaints
