"""The servers that are measured, each at its own best documented settings with one worker.

None writes an access log, except the full service, whose records go to /dev/null like all output.
`threads` is the number of threads in which granian and gunicorn run a WSGI application.
"""

from __future__ import annotations

from benchmarks.load.server import HOST, Subject

LIMIT = "raw WSGI, granian"
SERVICE, FULL = "Service, granian", "Service full stack, granian"
FLASK_GUNICORN, FALCON_GRANIAN = "Flask, gunicorn", "Falcon, granian"
FASTAPI, BLACKSHEEP = "FastAPI, uvicorn", "BlackSheep, uvicorn"


def subjects(threads: int) -> list[Subject]:
    """List every server."""
    return [
        wsgi_on_granian(LIMIT, "raw:app", threads),
        service(SERVICE, "bare", "granian", threads),
        service("Service, gunicorn", "bare", "gunicorn", threads),
        service("Service, bjoern", "bare", "bjoern", threads),
        service(FULL, "full", "granian", threads),
        on_gunicorn(FLASK_GUNICORN, "flask:app", threads),
        wsgi_on_granian("Flask, granian", "flask:app", threads),
        wsgi_on_granian(FALCON_GRANIAN, "falcon:app", threads),
        on_bjoern("Falcon, bjoern", "falcon:app"),
        on_uvicorn(FASTAPI, "fastapi:app"),
        asgi_on_granian("Litestar, granian", "litestar:app"),
        on_uvicorn("Starlette, uvicorn", "starlette:app"),
        on_uvicorn(BLACKSHEEP, "blacksheep:app"),
    ]


def service(name: str, factory: str, server: str, threads: int, workers: int = 1) -> Subject:
    """Start Buttress as its users do."""
    command = ["buttress", "run", "--app", f"benchmarks.peers.service:{factory}()"]
    command += ["--server", server, "--workers", str(workers), "--host", HOST, "--port", "{port}"]
    # bjoern has one thread, and says so where it is given another number.
    command += ["--threads", str(threads)] if server != "bjoern" else []
    # Nothing stands in front that would have to notice the end.
    return Subject(name, [*command, "--set", "DRAIN_GRACE=0"])


def wsgi_on_granian(name: str, app: str, threads: int) -> Subject:
    """Use granian for WSGI: its README names the number of blocking threads as what to tune."""
    options = ["--interface", "wsgi", "--blocking-threads", str(threads)]
    return Subject(name, [*_granian(app), *options])


def asgi_on_granian(name: str, app: str) -> Subject:
    """Use granian for ASGI with uvloop, the fastest of its loops as its README measures them."""
    return Subject(name, [*_granian(app), "--interface", "asgi", "--loop", "uvloop"])


def on_gunicorn(name: str, app: str, threads: int) -> Subject:
    """Use gunicorn's threaded worker, with keep-alive as long as wrk needs it."""
    options = ["--worker-class", "gthread", "--threads", str(threads), "--keep-alive", "75"]
    options += ["--workers", "1", "--log-level", "warning", "--bind", f"{HOST}:{{port}}"]
    return Subject(name, ["gunicorn", f"benchmarks.peers.{app}", *options])


def on_uvicorn(name: str, app: str) -> Subject:
    """Use uvicorn with uvloop and httptools, which its documentation installs as "standard"."""
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    options += ["--log-level", "warning", "--host", HOST, "--port", "{port}"]
    return Subject(name, ["uvicorn", f"benchmarks.peers.{app}", *options])


def on_bjoern(name: str, app: str) -> Subject:
    """Use bjoern, which has no settings."""
    return Subject(
        name, ["python", "-m", "benchmarks.peers.bjoern", f"benchmarks.peers.{app}", "{port}"]
    )


def _granian(app: str) -> list[str]:
    options = ["--host", HOST, "--port", "{port}", "--workers", "1", "--http", "1", "--no-ws"]
    return ["granian", f"benchmarks.peers.{app}", *options, "--log-level", "warning"]
