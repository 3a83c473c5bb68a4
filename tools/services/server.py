"""What a server of the tests must say of itself."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import ClassVar, Protocol

from tools.services.place import Place


class Server(Protocol):
    """One kind of server."""

    #: What it is called here.
    name: ClassVar[str]
    #: Environment variable whose URL wins.
    variable: ClassVar[str]
    #: Debian's packages that bring it; none where it is a Python package of our environment.
    packages: ClassVar[tuple[str, ...]]
    #: Whom it runs as where we are root; ``None``: as whoever starts it.
    user: ClassVar[str | None]
    #: The signal that ends it at once and in order.
    ending: ClassVar[signal.Signals]

    def program(self) -> Path | None:
        """Find the server's program; ``None`` where it is not installed."""

    def start(self, place: Place, program: Path, user: str | None) -> None:
        """Prepare the data and start the program, as the user where one is given."""

    def is_ready(self, place: Place) -> bool:
        """Tell whether it answers."""

    def url(self, place: Place) -> str:
        """Give the address, with the password."""
