"""The parent of the development server: it runs the command again whenever its child asks."""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from buttress.config.vault import VAULT
from buttress.serving.signals import STOP_SIGNALS, Signals
from buttress.serving.watch import Watch, python_files

logger = logging.getLogger("buttress.serving")

#: The exit code by which the child asks to be started again.
RELOAD = 3
#: What Python exits with where an exception ends it: a module that does not load, for one.
UNCAUGHT = 1
#: Seconds between two looks at the files.
INTERVAL = 0.5
MARK = "BUTTRESS_RELOADER"


def in_child() -> bool:
    """Tell whether a reloader started this process."""
    return os.environ.get(MARK) == str(os.getppid())


class Reloader:
    """Run this process's command as a child, again and again."""

    def run(self) -> int:
        """Lead children until a signal, or until the first one says that it cannot serve."""
        with Signals(*STOP_SIGNALS, signal.SIGCHLD) as signals:
            first = True
            while True:
                since = time.time_ns()
                code = _run_child(signals)
                if code is None:
                    return 0
                if code == 0 or (first and code not in (RELOAD, UNCAUGHT)):
                    return code
                if code != RELOAD and not _changed(since, signals):
                    return 0
                first = False


def _run_child(signals: Signals) -> int | None:
    """Run the command to its end, and give its exit code; ``None`` where a signal ended it."""
    environ = {**VAULT.environ(), **os.environ, MARK: str(os.getpid())}
    child = subprocess.Popen([sys.executable, *sys.orig_argv[1:]], env=environ)
    stopping = False
    while (code := child.poll()) is None:
        select.select([signals], [], [])
        for number in signals.read():
            if number in STOP_SIGNALS:
                child.send_signal(signal.SIGKILL if stopping else signal.SIGTERM)
                stopping = True
    return None if stopping else code


def _changed(since: int, signals: Signals) -> bool:
    """Wait until a file is changed; tell whether that came before a signal."""
    logger.error("The service does not load; it is watched until a file is changed")
    watch = Watch(_near_files, since)
    while not watch.changed():
        select.select([signals], [], [], INTERVAL)
        if set(signals.read()) & set(STOP_SIGNALS):
            return False
    return True


def _near_files() -> list[Path]:
    folders = {Path.cwd(), *(Path(each).resolve() for each in sys.path[:1])}
    return [file for folder in folders for file in python_files(folder)]
