"""The time that a password takes to be verified, beside argon2-cffi alone."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

from argon2 import PasswordHasher, extract_parameters

from benchmarks.cases.service import service


class PasswordTimes(NamedTuple):
    """Milliseconds of the processor to verify one: by a service, and by argon2-cffi."""

    service: float
    argon2: float

    @property
    def ratio(self) -> float:
        """Divide our time by argon2-cffi's."""
        return self.service / self.argon2


def password_times(calls: int = 100) -> PasswordTimes:
    """Measure both, one call after the other, with the parameters that a service has."""
    password = secrets.token_urlsafe(12)
    with service(["auth"]) as app:
        ours, hashed = app.check_password_hash, app.generate_password_hash(password)
    theirs = PasswordHasher.from_parameters(extract_parameters(hashed)).verify
    subjects: list[Callable[[], bool]] = [
        lambda: ours(hashed, password),
        lambda: theirs(hashed, password),
    ]
    samples: list[list[float]] = [[] for _ in subjects]
    for number in range(2 * (calls + 2)):
        # Who begins changes, since what runs second finds memory that is warm.
        at = (number + number // 2) % 2
        began = time.process_time()
        if not subjects[at]():
            raise ValueError("The password is not taken for right.")
        if number >= 4:  # the first calls warm up
            samples[at].append((time.process_time() - began) * 1e3)
    return PasswordTimes(*map(median, samples))
