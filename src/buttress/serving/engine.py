"""What a production server is to the supervisor: an engine that runs inside one worker."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from buttress.lifecycle import Deadline

if TYPE_CHECKING:
    from buttress.service import Service


class Engine(Protocol):
    """Answer the requests of one worker process."""

    def serve(self, app: Service, listener: socket.socket, ready: Callable[[], None]) -> None:
        """Accept and answer until stopped; return when the last answer is on its way.

        Runs in the main thread; calls ``ready`` once requests are about to be accepted.
        """

    def leave(self) -> None:
        """Ask clients with kept connections to leave with their next answer; any thread may."""

    def stop(self, deadline: Deadline) -> None:
        """Accept no more; any thread may call it. It may take until the deadline."""

    def idle(self) -> bool:
        """Tell whether only connections without a request keep `serve` from returning.

        False where the server sees to such connections itself.
        """
