"""A Gnar app in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.running import Running, end, environment, free_port

MAIN = """\
from buttress.gnar import GnarApp
GnarApp("shop", production={production}, port={port}, no_db=True, no_jwt=True).run()
"""
#: The documented example of a step of one's own.
MAIN_WITH_A_STEP = """\
import logging
from buttress.gnar import GnarApp
log = logging.getLogger(__name__)
def postconfig():
    log.info('My Postconfig Step!')
ga = GnarApp('shop', production={production}, port={port}, no_db=True, no_jwt=True)
ga.postconfig = postconfig
ga.run()
"""
LOG = "log"


def write_main(folder: Path, *, production: bool, text: str = MAIN) -> int:
    """Write the documented two lines as ``main.py`` of the shop, and give their free port."""
    port = free_port()
    main = folder / "shop" / "app" / "main.py"
    main.write_text(text.format(production=production, port=port), encoding="utf-8")
    return port


def variables(**more: str) -> dict[str, str]:
    """Give the environment of the process: loopback only, and no wait before the drain."""
    local = {"GNAR_HOST": "127.0.0.1", "GNAR_DRAIN_GRACE": "0"}
    return environment() | local | more


@contextmanager
def started(folder: Path, port: int, *arguments: str, **more: str) -> Iterator[Running]:
    """Run Python with ``arguments`` in ``folder``, wait until it serves, end it in any case."""
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env=variables(**more),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            service = Running(process, port)
            service.wait_until_ready()
            yield service
        finally:
            end(process)


def finished(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in ``folder`` to its end."""
    return subprocess.run(
        arguments,
        cwd=folder,
        env=variables(**more),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
