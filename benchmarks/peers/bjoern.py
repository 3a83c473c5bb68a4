"""Serve a WSGI application with bjoern: ``python -m benchmarks.peers.bjoern MODULE:APP PORT``."""

from __future__ import annotations

import sys
from importlib import import_module

import bjoern


def main(target: str, port: int) -> None:
    """Serve until a signal ends the process."""
    module, _, name = target.partition(":")
    bjoern.run(getattr(import_module(module), name), "127.0.0.1", port)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
