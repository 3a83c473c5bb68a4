"""``buttress run``."""

from __future__ import annotations

import sys
from functools import partial

import click

from buttress.cli.application import load_app
from buttress.cli.options import app_options, settings, target
from buttress.serving import serve, serve_development


@click.command(epilog="\b\nExample:\n  buttress run --port 8080 --workers 2")
@app_options
@click.option("--host", metavar="ADDRESS", help="Where to listen: an address or unix:/path.")
@click.option("--port", type=int, help="The port to listen on; 0 takes a free one.")
@click.option("--workers", type=int, help="How many worker processes.")
@click.option("--threads", type=int, help="How many requests a worker handles at a time.")
@click.option("--server", metavar="NAME", help="granian, gunicorn, bjoern or development.")
def run(
    host: str | None,
    port: int | None,
    workers: int | None,
    threads: int | None,
    server: str | None,
) -> None:
    """Serve the application until SIGTERM or Ctrl-C.

    Requests in flight are finished first. With --dev, changed files are loaded again.
    """
    given = settings(HOST=host, PORT=port, WORKERS=workers, THREADS=threads, SERVER=server)
    load = partial(load_app, target(), given)
    if given.get("MODE") == "development":
        sys.exit(serve_development(load))
    sys.exit(serve(load()))
