"""A worker process that guesses a password; ``python -m tests.auth.guesser URL``.

Each line of its input is a time and the numbers of the first guess and of the one after the last;
it answers with the times of those that were looked at.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from buttress import Problem
from buttress.auth.attempts.sql import SqlAttempts
from buttress.auth.door import Caller, Door
from buttress.auth.users import User
from buttress.db import Database
from tests.packages import write_package
from tests.services import services

KEY = b"k" * 32
#: Seconds between two guesses.
EVERY = 0.72


class OneUser:
    """A backend that knows ada, and notes when somebody's password is looked at."""

    def __init__(self) -> None:
        self.looked: list[float] = []
        self.now = 0.0

    def authenticate(self, name: str, password: str) -> User | None:
        """Note it, and look."""
        self.looked.append(self.now)
        return User(id="1", name="ada") if (name, password) == ("ada", "powder") else None


class Guesser:
    """Tries passwords at a door of its own, whose attempts are in a database."""

    def __init__(self, database: Database) -> None:
        self.users = OneUser()
        self.door = Door(self.users, SqlAttempts(database), KEY, lambda: self.users.now)  # type: ignore[arg-type]  # all that a door asks for

    def tried(self, now: float, password: str, address: str, device: str | None = None) -> bool:
        """Try, and tell whether that is a login."""
        self.users.now = now
        try:
            return self.door.enter("ada", password, Caller(address, device)) is not None
        except Problem as problem:
            if problem.code != 429:
                raise
            return False


def address_of(number: int) -> str:
    """Give an address; nearly every guess comes from another network."""
    return f"10.{number % 251}.{number // 251 % 251}.{number % 7}"


def main(url: str) -> None:
    """Guess as the input says."""
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        with services(lambda files: write_package(Path(folder), files)) as make:
            app = make("guesses", extensions=["db"], DB_URL=url)
            guesser = Guesser(app.db)
            for line in sys.stdin:
                begin, first, last = json.loads(line)
                guesser.users.looked.clear()
                for number in range(first, last, 2):
                    guesser.tried(begin + number * EVERY, f"guess {number}", address_of(number))
                sys.stdout.write(f"{json.dumps(guesser.users.looked)}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
