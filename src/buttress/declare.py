"""Marks on functions, free of any app: discovery finds them and the extensions take them up.

>>> @every(seconds=30)
... def measure_snow() -> None: ...
>>> marks(measure_snow)
(Mark(kind='every', arguments={'seconds': 30}),)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

#: Which extension takes up which kind of mark.
EXTENSION_OF = {
    "consumer": "queues",
    "pulse_consumer": "pulse",
    "every": "schedule",
    "cron": "schedule",
}


class Mark(NamedTuple):
    """What a decorator of this module notes on a function."""

    kind: str
    arguments: dict[str, Any]


class Marked(NamedTuple):
    """A marked function, as discovery hands it to an extension."""

    function: Callable[..., Any]
    mark: Mark


def consumer(queue: str, **options: Any) -> Callable[[F], F]:
    """Mark a function that handles the messages of a queue."""
    return _mark("consumer", {"queue": queue, **options})


def pulse_consumer(
    exchange: str, routing_key: str | Sequence[str] = "#", **options: Any
) -> Callable[[F], F]:
    """Mark a function that handles what an exchange of Pulse has for a routing key, or several."""
    return _mark("pulse_consumer", {"exchange": exchange, "routing_key": routing_key, **options})


def every(*, seconds: float, **options: Any) -> Callable[[F], F]:
    """Mark a function that runs again and again, ``seconds`` apart.

    Raises `ValueError` for a period that is not positive.
    """
    if seconds <= 0:
        raise ValueError(f"every(seconds={seconds!r}): the period must be more than 0 seconds.")
    return _mark("every", {"seconds": seconds, **options})


def cron(expression: str, **options: Any) -> Callable[[F], F]:
    """Mark a function that runs at the times of a cron expression of five fields.

    Raises `ValueError` for another number of fields.
    """
    if len(expression.split()) != 5:
        raise ValueError(
            f"cron({expression!r}): write five fields: minute, hour, day, month, weekday."
        )
    return _mark("cron", {"expression": expression, **options})


def marks(function: object) -> tuple[Mark, ...]:
    """Give the marks of a function, the outermost decorator's first."""
    return tuple(getattr(function, "__buttress_marks__", ()))


def _mark(kind: str, arguments: dict[str, Any]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        if not callable(function):
            raise TypeError(f"@{kind} marks a function, not {function!r}.")
        function.__buttress_marks__ = (Mark(kind, arguments), *marks(function))  # type: ignore[attr-defined]  # functions take attributes
        return function

    return decorate
