"""Serve examples/piste under the production server: `make demo`.

`--check` asks the service the same questions, stops it and ends with 0 when all went well.
"""

from __future__ import annotations

import argparse
import re
import shlex
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from buttress.cli.secret_file import add_secret, generate
from tools.running import NotServing, Running, is_free, running

PISTE = Path(__file__).parents[1] / "examples/piste"
APP = "piste.app.main:app"
HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Question:
    """One request to show, and the status that must come back."""

    path: str
    method: str = "GET"
    body: str | None = None
    status: int = 200

    def curl(self, url: str) -> str:
        """Write the request as a line for a shell."""
        words = ["curl"]
        if self.method != "GET":
            words += ["-X", self.method]
        if self.body is not None:
            words += ["-H", "Content-Type: application/json", "-d", self.body]
        return shlex.join([*words, url + self.path])


QUESTIONS = (
    Question("/summary"),
    Question("/pistes?difficulty=red&groomed=false"),
    Question("/lifts/aiguille", "PATCH", '{"open": true}'),
)


def main() -> None:
    """Serve until Ctrl-C, or check and stop. Exits with 2 for a mistake of the user."""
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--port", default="8000")
    parser.add_argument("--check", action="store_true", help="ask, stop, and tell")
    arguments = parser.parse_args()
    port = usable_port(arguments.port)
    write_secrets(PISTE / "instance")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with running(PISTE, port, app=APP) as service:
            sys.exit(check(service) if arguments.check else serve(service))
    except NotServing as error:
        refuse(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def usable_port(text: str) -> int:
    """Read the number of a free port; what is none ends the program."""
    port = int(text) if re.fullmatch("[0-9]{1,5}", text) else 0
    if not 1 <= port <= HIGHEST_PORT:
        refuse(f"PORT must be a number from 1 to {HIGHEST_PORT}, not {text!r}")
    if not is_free(port):
        other = port + 1 if port < HIGHEST_PORT else port - 1
        refuse(
            f"port {port} is in use; stop what uses it, or choose another: make demo PORT={other}"
        )
    return port


def check(service: Running) -> int:
    """Ask every question, stop the service, and give the exit code."""
    failed = [it for it in QUESTIONS if show(service, it) != it.status]
    code = service.stop()
    for question in failed:
        print(f"demo: not answered with {question.status}: {question.curl(service.url)}")
    print(f"demo: the server ended with exit code {code}")
    return 1 if failed or code else 0


def serve(service: Running) -> int:
    """Show what to try, then wait for Ctrl-C or the end of the server."""
    print(f"\nPiste is ready on {service.url}. Try:", flush=True)
    for question in QUESTIONS:
        show(service, question)
    print("\nCtrl-C stops it.", flush=True)
    try:
        return service.process.wait()
    except KeyboardInterrupt:
        return service.stop()


def show(service: Running, question: Question) -> int:
    """Ask one question, print request and answer, and give the status."""
    status, text = service.ask(question.path, question.method, question.body)
    print(f"\n$ {question.curl(service.url)}\n{text.strip()}", flush=True)
    return status


def write_secrets(folder: Path) -> None:
    """Write a generated secret key, readable by this user alone, unless there is a file."""
    file = folder / "config.py"
    if not file.exists():
        add_secret(file, "SECRET_KEY", generate(), make_folder=True)


def refuse(sentence: str) -> NoReturn:
    """End with one sentence and exit code 2."""
    print(f"demo: {sentence}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
