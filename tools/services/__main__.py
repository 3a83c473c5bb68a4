"""Start and stop them, and say where they are."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from tools.services.browser import provide_browser
from tools.services.firebird import Firebird
from tools.services.mariadb import MariaDB
from tools.services.memcached import Memcached
from tools.services.moto import Moto
from tools.services.oidc import Oidc
from tools.services.packages import can_install, install
from tools.services.place import READY_WITHIN, NotStarted, Place, scratch
from tools.services.postgres import Postgres
from tools.services.rabbitmq import RabbitMQ
from tools.services.redis import Redis
from tools.services.server import Server
from tools.services.slapd import Slapd
from tools.services.smtp import Smtp

SERVERS: tuple[Server, ...] = (
    Postgres(),
    MariaDB(),
    Redis(),
    RabbitMQ(),
    Memcached(),
    Moto(),
    Smtp(),
    Firebird(),
    Slapd(),
    Oidc(),
)


def main() -> None:
    """Do one of the three; ends with 1 where a server is not to be had.

    The fourth, ``run COMMAND…``, starts all, runs a command that is given their URLs, ends with
    its code, and stops those that did not run before.
    """
    if sys.argv[1:2] == ["run"]:
        sys.exit(run(SERVERS, sys.argv[2:]))
    parser = argparse.ArgumentParser(prog="tools.services")
    parser.add_argument("action", choices=["up", "down", "status"])
    names = [server.name for server in SERVERS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all, or some of {names}")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(names):
        parser.error(f"there is no {', '.join(sorted(unknown))}: choose from {', '.join(names)}")
    chosen = [server for server in SERVERS if server.name in (arguments.names or names)]
    sys.exit({"up": up, "down": down, "status": status}[arguments.action](chosen))


def up(servers: Sequence[Server]) -> int:
    """Start what does not run, and print their URLs as lines for a shell."""
    wanted = [server for server in servers if server.variable not in os.environ]
    for server in wanted:
        if server.packages and server.program() is None and can_install():
            install(list(server.packages))
    if "oidc" in (server.name for server in wanted):  # both are for the tests of the login
        provide_browser()
    programs = [(server, server.program()) for server in wanted]
    places = {it.name: _started(it, program) for it, program in programs if program is not None}
    failed = [server.name for server in wanted if not _is_up(server, places.get(server.name))]
    for name in failed:
        log = places[name].log if name in places else None
        why = "is not installed" if log is None else f"does not answer: see {log}"
        print(f"services: {name} {why}", file=sys.stderr)
    status(servers)
    return 1 if failed else 0


def down(servers: Sequence[Server]) -> int:
    """Stop them, and remove every trace."""
    for server in servers:
        place = Place(server.name)
        place.restore()
        place.stop(server.ending)
    if scratch().exists() and not any(scratch().iterdir()):
        scratch().rmdir()
    return 0


def status(servers: Sequence[Server]) -> int:
    """Print the URLs of those that answer."""
    for variable, url in urls(servers).items():
        print(f"export {variable}='{url}'")
    return 0


def run(servers: Sequence[Server], command: Sequence[str]) -> int:
    """Run a command with the servers, and leave running only what ran before."""
    others = [it for it in servers if it.variable not in os.environ and not _is_there(it)]
    with redirect_stdout(sys.stderr):
        up(servers)
    try:
        return subprocess.call(command, env={**os.environ, **urls(servers)})
    finally:
        down(others)


def urls(servers: Sequence[Server]) -> dict[str, str]:
    """Give the URLs of those that answer, by the variables that have them."""
    found = {}
    for server in servers:
        place = Place(server.name)
        given = os.environ.get(server.variable)
        if given:
            found[server.variable] = given
        elif place.restore() and server.is_ready(place):
            found[server.variable] = server.url(place)
    return found


def _is_there(server: Server) -> bool:
    return Place(server.name).restore()


def _started(server: Server, program: Path) -> Place:
    place = Place(server.name)
    if place.restore():
        return place
    user = server.user if os.geteuid() == 0 else None
    place.make(user)
    try:
        server.start(place, program, user)
    except NotStarted as error:
        print(f"services: {server.name}: {error}", file=sys.stderr)
    return place


def _is_up(server: Server, place: Place | None) -> bool:
    """Wait until it answers."""
    end = time.monotonic() + READY_WITHIN
    while place is not None and place.is_running() and time.monotonic() < end:
        if server.is_ready(place):
            return True
        time.sleep(0.1)
    return False


if __name__ == "__main__":
    main()
