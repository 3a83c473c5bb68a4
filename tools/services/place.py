"""Where one server lives: its folder, port and password, and the process that was started."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

HOST = "127.0.0.1"
#: Seconds until a server must answer, and until one that was told to end must be gone.
READY_WITHIN, GONE_WITHIN = 60.0, 30.0
CHECKOUT = Path(__file__).parents[2]


class NotStarted(Exception):
    """Raised when a server did not start; the text says where its log is."""


def scratch() -> Path:
    """Give the folder of all servers of this checkout and this user, or SERVICES_FOLDER."""
    given = os.environ.get("SERVICES_FOLDER")
    if given:
        return Path(given)
    mark = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"buttress-{getpass.getuser()}-{mark}"


class Place:
    """The folder of one server; what is known of a running one is kept in it."""

    def __init__(self, name: str) -> None:
        self.folder = scratch() / name
        self.data = self.folder / "data"
        self.log = self.folder / "log.txt"
        self._record = self.folder / "record.json"
        self.port = 0
        self.password = ""
        self.pid = 0
        self._began = ""
        self._process: subprocess.Popen[bytes] | None = None

    def restore(self) -> bool:
        """Read what was kept; tell whether that process still runs."""
        if not self._record.exists():
            return False
        known = json.loads(self._record.read_text())
        self.port, self.password = known["port"], known["password"]
        self.pid, self._began = known["pid"], known["began"]
        return _began(self.pid) == self._began != ""

    def make(self, user: str | None) -> None:
        """Make it anew, for a server that runs as this user."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for folder in (self.folder.parent, self.folder):
            folder.mkdir(mode=0o755, exist_ok=True)
        self.data.mkdir(mode=0o700)
        self.log.touch(mode=0o600)
        if user is not None:
            for path in (self.folder, self.data, self.log):
                shutil.chown(path, user)
        self.port, self.password = free_port(), secrets.token_hex(16)

    def start(
        self, command: list[str], user: str | None, environ: Mapping[str, str] | None = None
    ) -> None:
        """Start the server in a session of its own, and keep what is known of it."""
        self._process = self._begin(command, user, environ or {})
        self.pid = self._process.pid
        self._began = _began(self.pid)
        known = {"port": self.port, "password": self.password, "pid": self.pid}
        self._record.touch(mode=0o600)
        self._record.write_text(json.dumps({**known, "began": self._began}))

    def run(self, command: list[str], user: str | None) -> None:
        """Run a command that prepares the server. Raises `NotStarted` where it fails."""
        code = self._begin(command, user, {}).wait()
        if code != 0:
            raise NotStarted(f"{command[0]} ended with {code}: see {self.log}")

    def _begin(
        self, command: list[str], user: str | None, environ: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, "HOME": str(self.folder), **environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )

    def is_running(self) -> bool:
        """Tell whether the process that was started is there."""
        return self._began != "" and _began(self.pid) == self._began

    def stop(self, ending: signal.Signals) -> None:
        """End the server and all that it started, and remove its folder."""
        self.end(ending)
        shutil.rmtree(self.folder, ignore_errors=True)

    def end(self, ending: signal.Signals) -> None:
        """End the server and all that it started; its data stays, for another start."""
        if self.is_running():
            os.killpg(self.pid, ending)
            end = time.monotonic() + GONE_WITHIN
            while self.is_running() and time.monotonic() < end:
                time.sleep(0.05)
            if self.is_running():
                os.killpg(self.pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()


def free_port() -> int:
    """Give a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def says(port: int, said: bytes, expected: bytes) -> bool:
    """Tell whether what listens on a port answers so, as far as one packet tells."""
    try:
        with socket.create_connection((HOST, port), timeout=2) as connection:
            if said:
                connection.sendall(said)
            return expected in connection.recv(1024)
    except OSError:
        return False


def _began(pid: int) -> str:
    """Give when a process began, in ticks since the boot; nothing where there is none."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if told[0] == "Z" else told[19]
