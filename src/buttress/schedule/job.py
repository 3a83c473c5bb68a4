"""Jobs: what is to run, when, and what becomes of ticks that are late or come too soon."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args

from buttress.errors import SetupError
from buttress.schedule.moment import Moment, microseconds
from buttress.schedule.trigger import LONGEST, Trigger

#: What becomes of ticks that nobody ran in time.
Misfire = Literal["once", "all", "skip"]
#: What becomes of a tick that comes while the job still runs, anywhere.
Overlap = Literal["skip", "wait", "allow"]

#: Longest name in the database, in characters.
KEY_LENGTH = 180


class Tick(NamedTuple):
    """One run of a job: its name, its nominal time in UTC, and by how many seconds it is late."""

    job: str
    time: datetime
    late: float


@dataclass(frozen=True)
class Job:
    """A function, its times and its policies; ``grace`` is in seconds.

    Raises `SetupError` for what cannot be run.
    """

    name: str
    #: Its name in the database, which no other service has.
    key: str
    function: Callable[..., Any]
    trigger: Trigger
    misfire: Misfire
    overlap: Overlap
    grace: float
    #: Most ticks that are made up.
    catch_up: int

    def __post_init__(self) -> None:
        if len(self.key) > KEY_LENGTH:
            spare = KEY_LENGTH - len(self.key) + len(self.name)
            raise self._mistake(f"give it a name= of at most {spare} characters")
        for key, known in (("misfire", Misfire), ("overlap", Overlap)):
            if getattr(self, key) not in get_args(known):
                words = ", ".join(repr(word) for word in get_args(known))
                raise self._mistake(f"{key}={getattr(self, key)!r} is none of {words}")
        if not 0 < self.grace <= LONGEST:
            raise self._mistake(f"grace={self.grace!r}: give more than 0 seconds, up to a century")
        self._check_function()

    @property
    def takes_tick(self) -> bool:
        """Tell whether the function wants to know its tick."""
        return bool(_parameters(self.function))

    def due(self, last: Moment, now: Moment) -> list[Moment]:
        """Give the ticks after ``last`` that are to be run now, by the policy for late ones."""
        if self.misfire == "skip":
            last = max(last, now - microseconds(self.grace))
        return self.trigger.between(last, now, 1 if self.misfire == "once" else self.catch_up)

    def wants(self, tick: Moment, now: Moment) -> bool:
        """Tell whether a tick is not too late to be run."""
        return self.misfire != "skip" or now - tick < microseconds(self.grace)

    def call(self, tick: Tick) -> None:
        """Run the function; raises what it raises."""
        self.function(*([tick] if self.takes_tick else []))

    def _check_function(self) -> None:
        if not callable(self.function):
            raise self._mistake(f"{self.function!r} is no function")
        if inspect.iscoroutinefunction(self.function):
            raise self._mistake("it is async, and jobs run in threads: write a plain def")
        if inspect.isgeneratorfunction(self.function):
            raise self._mistake("it has a yield, and nobody would take what it yields")
        if _has_more(self.function):
            raise self._mistake("it may take one argument, the tick, or none")

    def _mistake(self, what: str) -> SetupError:
        return SetupError(f"The scheduled job '{self.name}': {what}.")


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Give the parameters that a call has to fill, and one called ``tick``."""
    try:
        found = inspect.signature(function).parameters.values()
    except ValueError:  # some of those written in C do not tell
        return []
    named = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    plain = [it for it in found if it.kind not in named]
    return [it for it in plain if it.default is it.empty or it.name == "tick"]


def _has_more(function: Callable[..., Any]) -> bool:
    wanted = _parameters(function)
    return len(wanted) > 1 or any(it.kind is it.KEYWORD_ONLY for it in wanted)
