"""The servers that there are, and what each must offer."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from buttress.errors import ServerError

if TYPE_CHECKING:
    from buttress.service import Service

#: Where the servers are, by the names that the setting SERVER takes.
SERVERS = {
    "granian": "buttress.serving.granian:GranianServer",
    "gunicorn": "buttress.serving.gunicorn:GunicornServer",
    "bjoern": "buttress.serving.bjoern:BjoernServer",
    "development": "buttress.serving.development:DevelopmentServer",
}


class Server(Protocol):
    """One way to serve an application until a signal ends it."""

    #: Fields of `ServingSettings` that this server has no use for.
    ignores: ClassVar[frozenset[str]]

    def serve(self, app: Service) -> int:
        """Serve a booted application, drain on SIGTERM and SIGINT, and give the exit code.

        Raises `ServerError` where the address cannot be had.
        """


def server_named(name: str) -> Server:
    """Make the server of that name; its package is imported only now.

    Raises `ServerError` for an unknown name, and for a package that is not installed.
    """
    if name not in SERVERS:
        raise ServerError(unknown_server(name))
    module, _, attribute = SERVERS[name].partition(":")
    try:
        return cast(Server, getattr(import_module(module), attribute)())
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "buttress":
            raise
        raise ServerError(
            f"The server '{name}' needs the package '{error.name}': pip install 'buttress[{name}]'."
        ) from error


def unknown_server(name: str) -> str:
    """Say that there is no server of that name, and which one was probably meant."""
    near = get_close_matches(name, SERVERS, 1)
    hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(SERVERS)}."
    return f"There is no server '{name}'. {hint}"
