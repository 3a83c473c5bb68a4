"""The demo writes its secret, shows requests that a shell understands, and refuses a busy port."""

from __future__ import annotations

import shlex
import socket
import sys
from pathlib import Path

import pytest

from tools import demo
from tools.demo import Question, write_secrets


def test_secret_is_private(tmp_path: Path) -> None:
    """The secret is long, and readable by its owner alone."""
    write_secrets(tmp_path / "instance")
    file = tmp_path / "instance/config.py"
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.read_text().split('"')[1]) == 43


def test_secret_stays(tmp_path: Path) -> None:
    """A secret that is there is not replaced."""
    write_secrets(tmp_path)
    before = (tmp_path / "config.py").read_text()
    write_secrets(tmp_path)
    assert (tmp_path / "config.py").read_text() == before


def test_curl_line() -> None:
    """A request is shown as a shell would take it."""
    line = Question("/x?a=1&b=2", "PATCH", '{"open": true}').curl("http://h")
    assert shlex.split(line) == [
        *("curl", "-X", "PATCH", "-H", "Content-Type: application/json"),
        *("-d", '{"open": true}', "http://h/x?a=1&b=2"),
    ]


def test_busy_port(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A busy port is answered with one sentence that names another, and exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(sys, "argv", ["demo", "--port", str(port)])
        with pytest.raises(SystemExit) as ended:
            demo.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        f"demo: port {port} is in use; stop what uses it, or choose another: "
        f"make demo PORT={port + 1}\n"
    )


@pytest.mark.parametrize("port", ["99999", "0", "-1", "80 80", "many", "٣"])
def test_impossible_port(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], port: str
) -> None:
    """What is no port is answered with one sentence, and exit code 2."""
    monkeypatch.setattr(sys, "argv", ["demo", f"--port={port}"])
    with pytest.raises(SystemExit) as ended:
        demo.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"demo: PORT must be a number from 1 to 65535, not {port!r}\n"
