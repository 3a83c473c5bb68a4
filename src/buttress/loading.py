"""Loading a module without running the application that it makes.

A main module may end in ``GnarApp(…).run()``. A command that only wants the application loads
such a module inside `recording`, where ``run()`` notes the application and returns.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buttress.service import Service

#: The applications that would have run; ``None`` where nobody records.
LOADING: ContextVar[list[Service] | None] = ContextVar("buttress_loading", default=None)


@contextmanager
def recording() -> Iterator[list[Service]]:
    """Collect the applications that a module asks to run, instead of running them."""
    recorded: list[Service] = []
    token = LOADING.set(recorded)
    try:
        yield recorded
    finally:
        LOADING.reset(token)


def recorded(app: Service) -> bool:
    """Note an application that is asked to run; true where it must return instead."""
    apps = LOADING.get()
    if apps is None:
        return False
    apps.append(app)
    return True
