"""Debian's packages, installed where that is possible, and without starting what they bring."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Asked by packages whether they may start their service; 101 is no (invoke-rc.d(8)).
POLICY = Path("/usr/sbin/policy-rc.d")


def can_install() -> bool:
    """Tell whether packages may be installed here."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: list[str]) -> bool:
    """Install packages; tell whether it went well."""
    print(f"services: installing {', '.join(packages)}", file=sys.stderr)
    with _without_starting():
        return _apt("install", *packages) or (_apt("update") and _apt("install", *packages))


def _apt(action: str, *names: str) -> bool:
    command = ["apt-get", action, "-y", "-qq", "--no-install-recommends", *names]
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
    return done.returncode == 0


@contextmanager
def _without_starting() -> Iterator[None]:
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
