"""Settings of pulse."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from buttress.amqp.address import Address, Parts, is_host, parsed
from buttress.config import Key, Secret, Section
from buttress.loopback import is_loopback

_INSTEAD = ("host", "port", "user", "password", "virtual_host")


class PulseSettings(Section):
    """Say where the broker is, and how it is spoken to."""

    url: Annotated[
        Secret | None,
        Key(min_length=0),
        Meta(
            description="Where RabbitMQ is: `amqps://user:password@host:5671/vhost`, or `amqp://…` "
            "without TLS. Instead of PULSE_HOST, _PORT, _USER, _PASSWORD and _VIRTUAL_HOST."
        ),
    ] = None
    host: Annotated[str | None, Meta(description="Host of RabbitMQ; by default `localhost`.")] = (
        None
    )
    port: Annotated[
        Annotated[int, Meta(ge=1, le=65535)] | None,
        Meta(description="Port of RabbitMQ; by default 5671 with TLS and 5672 without."),
    ] = None
    user: Annotated[
        str | None,
        Meta(
            description="User at RabbitMQ, whose name is part of the queues' names; by default "
            "`guest`, which RabbitMQ admits from its own machine only."
        ),
    ] = None
    password: Annotated[
        Secret | None, Key(min_length=0), Meta(description="Password of the user.")
    ] = None
    virtual_host: Annotated[
        str | None, Meta(description="Virtual host at RabbitMQ; by default `/`.")
    ] = None
    use_ssl: Annotated[
        bool | None,
        Meta(description="Speak TLS; by default on, except to a loopback address."),
    ] = None
    ca_file: Annotated[
        Path | None,
        Meta(
            description="File with the certificates of the authorities that RabbitMQ is trusted by "
            "(PEM), instead of the system's."
        ),
    ] = None
    connection_timeout: Annotated[
        float,
        Meta(
            description="Seconds that connecting may take, and a publish with its confirm.",
            gt=0,
            le=300,
        ),
    ] = 5.0
    heartbeat: Annotated[
        int,
        Meta(
            description="Seconds between the heartbeats of a consumer's connection; one that is "
            "silent for twice as long is taken for lost, by either side.",
            ge=1,
            le=600,
        ),
    ] = 20
    connections: Annotated[
        int,
        Meta(
            description="Most connections on which one worker publishes; each carries one message "
            "at a time.",
            ge=1,
            le=1000,
        ),
    ] = 4
    max_message_size: Annotated[
        int,
        Meta(
            description="Largest message that is published, in bytes; RabbitMQ has a limit of its "
            "own, 16 MiB since version 4.",
            ge=1,
            le=512 * 1024 * 1024,
        ),
    ] = 16 * 1024 * 1024
    consume: Annotated[
        bool | None,
        Meta(
            description="Run the consumers; by default where `buttress run` serves, and not in a "
            "foreign container or a command."
        ),
    ] = None
    prefetch: Annotated[
        int,
        Meta(
            description="Messages that RabbitMQ sends to a consumer ahead of their turn.",
            ge=1,
            le=65535,
        ),
    ] = 1
    max_deliveries: Annotated[
        int,
        Meta(
            description="Deliveries after which a message that cannot be handled goes to the "
            "dead-letter queue.",
            ge=1,
            le=20,
        ),
    ] = 5

    @property
    def address(self) -> Address:
        """Give where the broker is, with the defaults filled in."""
        said = parsed(self.url) if self.url is not None else self._parts()
        tls = not is_loopback(said.host) if self.use_ssl is None else self.use_ssl
        tls = said.tls if self.url is not None else tls
        return said.address(tls=tls, ca_file=self.ca_file)

    def problems(self) -> Iterable[str]:
        """Name a URL that is none, and what does not go together."""
        if self.ca_file is not None and not self.ca_file.is_file():
            yield f"PULSE_CA_FILE: there is no file {self.ca_file}."
        if self.url is None:
            yield from self._of_parts(self._parts(), "PULSE_USER and PULSE_PASSWORD")
            return
        both = [f"PULSE_{name.upper()}" for name in _INSTEAD if getattr(self, name) is not None]
        if both:
            yield f"PULSE_URL says it all: remove {', '.join(both)}, or PULSE_URL."
        try:
            said = parsed(self.url)
        except ValueError as error:
            yield f"PULSE_URL {error}."
            return
        yield from self._of_parts(said, "the user and the password in PULSE_URL")
        yield from self._of_scheme(said)

    def _of_parts(self, said: Parts, credentials: str) -> Iterable[str]:
        if not is_host(said.host):
            yield f"PULSE_HOST={said.host!r} is no host: write one as 'broker.example'."
        if (said.user is None) != (said.password is None):
            yield f"Set both of {credentials}, or neither for RabbitMQ's guest."
        elif said.user is None and not is_loopback(said.host):
            yield f"RabbitMQ admits its guest from its own machine only: set {credentials}."

    def _of_scheme(self, said: Parts) -> Iterable[str]:
        if self.use_ssl is not None and said.tls != self.use_ssl and (said.tls or self.use_ssl):
            scheme = "amqps://" if said.tls else "amqp://"
            yield (
                f"PULSE_URL begins with {scheme} and PULSE_USE_SSL is {str(self.use_ssl).lower()}: "
                "change one of them."
            )
        if self.use_ssl is None and not said.tls and not is_loopback(said.host):
            yield (
                "PULSE_URL begins with amqp://, which sends passwords and messages to another "
                "machine in the clear: write amqps://, or set PULSE_USE_SSL=false as well."
            )

    def _parts(self) -> Parts:
        return Parts(
            tls=False,
            host=(self.host or "localhost").removeprefix("[").removesuffix("]"),
            port=self.port,
            user=self.user or None,
            password=self.password if self.password else None,
            virtual_host=self.virtual_host or None,
        )
