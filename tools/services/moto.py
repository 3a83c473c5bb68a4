"""Amazon's SQS and SES, as moto plays them."""

from __future__ import annotations

import importlib.util
import signal
import sys
from pathlib import Path

from tools.services.place import HOST, Place, says
from tools.services.server import Server

QUESTION = b"GET /moto-api/config HTTP/1.0\r\n\r\n"


class Moto(Server):
    """Moto's HTTP server; it takes any credentials, and every region."""

    name = "moto"
    variable = "TEST_AWS_URL"
    packages = ()
    user = None
    ending = signal.SIGTERM

    def program(self) -> Path | None:
        """Give this interpreter, where moto is installed beside it."""
        return Path(sys.executable) if importlib.util.find_spec("moto") else None

    def start(self, place: Place, program: Path, user: str | None) -> None:
        """Start it; what it is told lives in its memory."""
        place.start([str(program), "-m", "moto.server", "-H", HOST, "-p", str(place.port)], user)

    def is_ready(self, place: Place) -> bool:
        """Ask for its configuration, which is short however much it holds."""
        return says(place.port, QUESTION, b" 201 ")  # its way to say 200

    def url(self, place: Place) -> str:
        """Give the endpoint of all its services."""
        return f"http://{HOST}:{place.port}"
