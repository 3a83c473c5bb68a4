"""How the service is served: address, workers, limits and the drain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from buttress.config.section import Section
from buttress.serving.server import SERVERS, unknown_server

#: The longest that a start or a drain may take, in seconds: a day.
LONGEST = 86400


class ServingSettings(Section):
    """The section ``serving``; its keys have no prefix.

    A setting that the chosen server has no use for is said so when the service starts.
    """

    server: Annotated[
        str, Meta(description="The server: granian, gunicorn, bjoern or development.")
    ] = "granian"
    host: Annotated[
        str | None,
        Meta(
            description="The address to listen on: a name, an IPv4 or IPv6 address, or "
            "unix:/path. Unset: all interfaces in production, else loopback."
        ),
    ] = None
    open_development: Annotated[
        bool,
        Meta(description="Let the development server listen on other than loopback addresses."),
    ] = False
    port: Annotated[
        int, Meta(ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    ] = 8000
    workers: Annotated[
        int, Meta(ge=1, le=1024, description="Worker processes; the development server has one.")
    ] = 1
    threads: Annotated[
        int,
        Meta(
            ge=1,
            le=1024,
            description="Requests that one worker handles at a time (granian, gunicorn); give "
            "database pools as many connections.",
        ),
    ] = 16
    backlog: Annotated[
        int, Meta(ge=1, le=65535, description="Connections that wait to be accepted.")
    ] = 1024
    connections: Annotated[
        int,
        Meta(ge=1, le=65535, description="Open connections per worker (granian, gunicorn)."),
    ] = 1024
    keep_alive: Annotated[
        int,
        Meta(
            ge=0,
            le=3600,
            description="Seconds that a connection may be idle (granian: sending its headers "
            "included; gunicorn); 0 closes each after its answer. Set it above the idle time of "
            "a proxy in front.",
        ),
    ] = 75
    header_limit: Annotated[
        int,
        Meta(
            ge=8192,
            le=1048576,
            description="Bytes that each header of a request may have (gunicorn); granian refuses "
            "a request line and headers that have between one and two times as many together. "
            "Both take 100 headers at most.",
        ),
    ] = 65536
    start_timeout: Annotated[
        int,
        Meta(
            ge=1,
            le=LONGEST,
            description="Seconds that a worker has to start before it is replaced.",
        ),
    ] = 60
    drain_grace: Annotated[
        float,
        Meta(
            ge=0,
            le=LONGEST,
            description="Seconds after SIGTERM during which readiness is 503 and requests are "
            "still accepted, so that a load balancer notices.",
        ),
    ] = 2.0
    drain_timeout: Annotated[
        float,
        Meta(
            gt=0,
            le=LONGEST,
            description="Seconds after SIGTERM within which everything must be finished, the "
            "grace included.",
        ),
    ] = 25.0

    def problems(self) -> Iterable[str]:
        """Tell of an unknown server, no host, and a grace that leaves no time to finish."""
        if self.server not in SERVERS:
            yield f"SERVER: {unknown_server(self.server)}"
        if self.host is not None and not self.host.strip():
            yield "HOST is empty: give an address, or leave it unset for the default."
        if self.drain_grace >= self.drain_timeout:
            yield (
                f"DRAIN_GRACE is {self.drain_grace:g} s, and DRAIN_TIMEOUT, which includes it, "
                f"{self.drain_timeout:g} s: make the timeout longer."
            )
