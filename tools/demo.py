"""Serve examples/piste under the production server: `make demo`.

`--check` asks the service the same questions, stops it and ends with 0 when all went well.
`--engines real` serves the same code on PostgreSQL, Redis, RabbitMQ and moto's SES.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent
from typing import NoReturn

from buttress.cli.secret_file import add_secret, generate
from tools.engines import Engines, NoEngine, embedded, environment_with, real
from tools.running import NotServing, Running, environment, is_free, running

PISTE = Path(__file__).parents[1] / "examples/piste"
APP = "piste.app.main:app"
HIGHEST_PORT = 65535
#: Seconds that what happens by itself may take.
PATIENCE = 15.0
#: Another depth and another user in each run, so that an old one is not taken for the answer.
SNOW_CM = 20 + secrets.randbelow(180)
NAME = f"ada-{secrets.token_hex(3)}"
PASSWORD = secrets.token_urlsafe(12)
#: What Piste cannot start without, and what makes it the same service after a restart.
SECRETS = ("SECRET_KEY", "JWT_SECRET_KEY")


@dataclass(frozen=True)
class Question:
    """One request to show, the status that must come back, and what its answer comes to have."""

    path: str
    method: str = "GET"
    body: str | None = None
    status: int = 200
    becomes: Mapping[str, object] = field(default_factory=dict)
    #: Whether it is asked with the token of a login.
    known: bool = False

    def curl(self, url: str) -> str:
        """Write the request as a line for a shell."""
        words = ["curl"]
        if self.method != "GET":
            words += ["-X", self.method]
        if self.body is not None:
            words += ["-H", "Content-Type: application/json", "-d", self.body]
        known = ['-H "Authorization: Bearer $TOKEN"'] if self.known else []
        return " ".join([shlex.join(words), *known, shlex.quote(url + self.path)])

    def is_met(self, status: int, text: str) -> bool:
        """Tell whether this is the answer that must come back."""
        if status != self.status or not self.becomes:
            return status == self.status
        answer = json.loads(text)
        return all(answer.get(name) == value for name, value in self.becomes.items())


REPORT = {"piste": "glacier", "snow_cm": SNOW_CM, "groomed": True}
CREDENTIALS = {"name": NAME, "password": PASSWORD}
USER = {**CREDENTIALS, "email": "ada@val-sereine.example"}
#: What anybody may ask; then what takes a login, and a role that the operator gives.
OPEN = (
    Question("/summary"),
    Question("/pistes?difficulty=red&groomed=false"),
    Question("/lifts/aiguille", "PATCH", '{"open": true}', 401),
    Question("/users", "POST", json.dumps(USER), 201),
)
ROLE = ("user", "role", NAME, "--add", "patrol")
LOGIN = Question("/login", "POST", json.dumps(CREDENTIALS))
QUESTIONS = (
    Question("/me", known=True, becomes={"roles": ["patrol"]}),
    Question("/lifts/aiguille", "PATCH", '{"open": true}', known=True),
    Question("/reports", "POST", json.dumps(REPORT), 202, known=True),
    Question("/pistes/glacier", becomes={"snow_cm": SNOW_CM}),
    Question("/pistes/glacier", "PATCH", '{"open": true}', known=True),
    Question("/pistes/glacier", "PATCH", '{"open": false}', known=True),
)


def main() -> None:
    """Serve until Ctrl-C, or check and stop. Exits with 2 for a mistake of the user."""
    arguments = parsed()
    port = usable_port(arguments.port)
    instance = PISTE / "instance"
    write_secrets(instance)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    engines = real() if arguments.engines == "real" else embedded(instance)
    try:
        sys.exit(demonstrate(engines, port, check_only=arguments.check))
    except (NotServing, NoEngine) as error:
        refuse(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--port", default="8000")
    parser.add_argument("--engines", choices=["embedded", "real"], default="embedded")
    parser.add_argument("--check", action="store_true", help="ask, stop, and tell")
    return parser.parse_args()


def demonstrate(engines: AbstractContextManager[Engines], port: int, *, check_only: bool) -> int:
    """Start everything, check or serve, and give the exit code."""
    with engines as chosen, environment_with(chosen.variables):
        print(f"demo: engines: {chosen.description}", flush=True)
        if chosen.variables:
            operate("db", "upgrade")
        with running(PISTE, port, app=APP) as service:
            return check(service, chosen) if check_only else serve(service, chosen)


def operate(*words: str) -> None:
    """Run a command of the operator. Raises `NotServing` where it fails."""
    command = [str(Path(sys.executable).with_name("buttress")), *words, "--app", APP]
    print(f"\n$ buttress {shlex.join(words)}", flush=True)
    if subprocess.run(command, cwd=PISTE, env=environment(), check=False).returncode:
        raise NotServing(f"buttress {words[0]} {words[1]} failed")


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


def check(service: Running, engines: Engines) -> int:
    """Ask every question, stop the service, and give the exit code."""
    failed = ask_all(service, engines)
    code = service.stop()
    for sentence in failed:
        print(f"demo: {sentence}")
    print(f"demo: the server ended with exit code {code}")
    return 1 if failed or code else 0


def serve(service: Running, engines: Engines) -> int:
    """Show what to try, then wait for Ctrl-C or the end of the server."""
    print(f"\nPiste is ready on {service.url}. Try:", flush=True)
    ask_all(service, engines)
    print(f"\nPiste goes on serving on {service.url}. Ctrl-C stops it.", flush=True)
    try:
        return service.process.wait()
    except KeyboardInterrupt:
        return service.stop()


def ask_all(service: Running, engines: Engines) -> list[str]:
    """Ask every question, show the mail that comes of them, and tell what is not as it must be."""
    before = engines.count()
    wrong = [it for it in OPEN if show(service, it) is None]
    token = log_in(service)
    wrong += [it for it in QUESTIONS if show(service, it, token) is None]
    failed = [f"not answered as it must be: {it.curl(service.url)}" for it in wrong]
    if not until(lambda: engines.count() > before):
        return [*failed, "the patrol has no mail"]
    print(f"\nThe patrol has a mail:\n{indent(engines.newest(), '  ')}", flush=True)
    return failed


def log_in(service: Running) -> str:
    """Give the user a role and log in; gives the token. Raises `NotServing` where that fails."""
    operate(*ROLE)
    answer = show(service, LOGIN)
    if answer is None:
        raise NotServing("nobody can log in")
    token: str = json.loads(answer)["access_token"]
    print(f"\n$ TOKEN={token}", flush=True)
    return token


def show(service: Running, question: Question, token: str = "") -> str | None:
    """Ask one question, again where its answer takes a moment; print both.

    Gives the answer, or ``None`` where it is not what it must be.
    """
    asked_with = token if question.known else None
    print(f"\n$ {question.curl(service.url)}", flush=True)
    answers: list[tuple[int, str]] = []

    def is_met() -> bool:
        answers.append(service.ask(question.path, question.method, question.body, asked_with))
        return question.is_met(*answers[-1])

    met = until(is_met) if question.becomes else is_met()
    text = answers[-1][1]
    print(text.strip(), flush=True)
    return text if met else None


def until(holds: Callable[[], bool]) -> bool:
    """Wait until something holds; false where that takes too long."""
    end = time.monotonic() + PATIENCE
    while not (held := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return held


def write_secrets(folder: Path) -> None:
    """Write the secrets that are not there, generated and readable by this user alone."""
    file = folder / "config.py"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    for key in SECRETS:
        if not re.search(rf"^{key}\b", text, re.MULTILINE):
            add_secret(file, key, generate(), make_folder=True)


def refuse(sentence: str) -> NoReturn:
    """End with one sentence and exit code 2."""
    print(f"demo: {sentence}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
