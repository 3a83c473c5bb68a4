"""One case: a request, and the applications that answer it alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from benchmarks.cases.request import Request, ask

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Wrong(Exception):
    """Raised when an application does not give the answer of its case."""


@dataclass(frozen=True)
class Case:
    """One request, its answer, and the applications that give it."""

    name: str
    request: Request
    status: int
    #: ``None`` where each application words its answer itself.
    body: bytes | None
    subjects: dict[str, WSGIApplication]


def check(case: Case) -> None:
    """Ask every application twice and raise `Wrong` where the answer is not the right one."""
    for subject, app in case.subjects.items():
        for _ in range(2):
            answer = ask(app, case.request)
            if answer.status != case.status or not _same(answer.body, case.body):
                raise Wrong(f"{case.name}: {subject} answers {answer}, expected {case.body!r}")


def _same(body: bytes, expected: bytes | None) -> bool:
    """Compare bodies; spaces and line ends of JSON do not count."""
    if expected is None or body == expected:
        return True
    return body[:1] == b"{" and orjson.loads(body) == orjson.loads(expected)
