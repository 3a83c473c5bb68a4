"""The demo writes its secret, shows requests as a shell takes them, and works on real engines."""

from __future__ import annotations

import runpy
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.servers import server_url
from tools import demo, engines
from tools.demo import SECRETS, Question, write_secrets
from tools.running import free_port


def test_secrets_are_private(tmp_path: Path) -> None:
    """The secrets are long, different, and readable by their owner alone."""
    write_secrets(tmp_path / "instance")
    file = tmp_path / "instance/config.py"
    assert file.stat().st_mode & 0o777 == 0o600
    found = runpy.run_path(str(file))
    assert [len(found[key]) for key in SECRETS] == [43, 43]
    assert found["SECRET_KEY"] != found["JWT_SECRET_KEY"]


def test_secret_stays(tmp_path: Path) -> None:
    """A secret that is there is not replaced."""
    write_secrets(tmp_path)
    before = (tmp_path / "config.py").read_text()
    write_secrets(tmp_path)
    assert (tmp_path / "config.py").read_text() == before


def test_missing_secret_is_added(tmp_path: Path) -> None:
    """A file of an earlier version gets what it lacks, and keeps the rest."""
    file = tmp_path / "config.py"
    file.write_text('SECRET_KEY = "kept"\n')
    write_secrets(tmp_path)
    found = runpy.run_path(str(file))
    assert (found["SECRET_KEY"], len(found["JWT_SECRET_KEY"])) == ("kept", 43)


def test_curl_line() -> None:
    """A request is shown as a shell would take it."""
    line = Question("/x?a=1&b=2", "PATCH", '{"open": true}').curl("http://h")
    assert shlex.split(line) == [
        *("curl", "-X", "PATCH", "-H", "Content-Type: application/json"),
        *("-d", '{"open": true}', "http://h/x?a=1&b=2"),
    ]


def test_curl_line_with_a_token() -> None:
    """The token of a login stands there as a variable that the shell fills in."""
    line = Question("/me", known=True).curl("http://h")
    assert line == 'curl -H "Authorization: Bearer $TOKEN" http://h/me'


@pytest.mark.parametrize(
    ("status", "text", "met"),
    [
        (200, '{"snow_cm": 3, "open": true}', True),
        (200, '{"snow_cm": null}', False),
        (404, "", False),
    ],
)
def test_what_must_come(status: int, text: str, met: bool) -> None:
    """An answer is as it must be by its status, and by what its body comes to have."""
    assert Question("/x", becomes={"snow_cm": 3}).is_met(status, text) is met


def test_status_is_enough() -> None:
    """Where nothing is said of the body, it may be anything."""
    assert Question("/x", status=202).is_met(202, "no JSON")


def test_waits_for_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes a moment is waited for, and no longer than for so many seconds."""
    answers = iter([False, False, True])
    assert demo.until(lambda: next(answers))
    monkeypatch.setattr(demo, "PATIENCE", 0.1)
    assert not demo.until(lambda: False)


def test_missing_engine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A server that is not to be had is named in one sentence, with exit code 2."""
    monkeypatch.setattr(demo, "PISTE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["demo", "--engines", "real", "--port", str(free_port())])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(engines, "up", lambda _: None)
    monkeypatch.setattr(engines, "urls", lambda _: {})
    monkeypatch.setattr(engines, "down", lambda _: None)
    with pytest.raises(SystemExit) as ended:
        demo.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "demo: postgres, redis, rabbitmq, moto: not to be had on this machine\n"
    )


def test_real_engines() -> None:
    """The check on real engines ends well, runs the migrations first, and shows no password."""
    urls = {name: server_url(name) for name in engines.NAMES}
    command = [sys.executable, "-m", "tools.demo", "--check", "--engines", "real"]
    command += ["--port", str(free_port())]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "STATE\napp       0001" in ended.stdout
    passwords = [urlsplit(url).password for url in urls.values()]
    assert [it for it in passwords if it and it in ended.stdout + ended.stderr] == []


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
