"""An OpenID provider: the npm package ``oidc-provider``, which is certified, run by Node.js."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from tools.services.place import HOST, Place, says
from tools.services.server import Server

PACKAGE = "oidc-provider@8.8.1"
#: Without a network it gives up soon.
OPTIONS = ("--no-audit", "--no-fund", "--no-save", "--fetch-retries=1")
QUESTION = b"GET /jwks HTTP/1.0\r\n\r\n"


class Oidc(Server):
    """The provider of ``oidc.mjs``; its URL is the issuer, and any client may register at /reg."""

    name = "oidc"
    variable = "TEST_OIDC_URL"
    packages = ("nodejs", "npm")
    user = None
    ending = signal.SIGTERM

    def program(self) -> Path | None:
        """Find Node.js, where npm is there too."""
        node, npm = shutil.which("node"), shutil.which("npm")
        return Path(node) if node and npm else None

    def start(self, place: Place, program: Path, user: str | None) -> None:
        """Start it, after fetching the package into its folder."""
        place.run(["npm", "install", *OPTIONS, PACKAGE], user)
        # Beside the package, for that is where Node.js looks for it.
        script = shutil.copy(Path(__file__).with_name("oidc.mjs"), place.folder)
        place.start([str(program), str(script), str(place.port)], user)

    def is_ready(self, place: Place) -> bool:
        """Ask for its keys."""
        return says(place.port, QUESTION, b" 200 ")

    def url(self, place: Place) -> str:
        """Give the issuer."""
        return f"http://{HOST}:{place.port}"
