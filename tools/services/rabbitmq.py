"""RabbitMQ."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from tools.services.place import HOST, Place, free_port, says
from tools.services.server import Server

#: Erlang's port mapper would else be made a daemon, and outlive the broker.
WITH_EPMD = 'epmd & exec "$0"'


class RabbitMQ(Server):
    """RabbitMQ with a user ``buttress`` who may do everything in the virtual host ``/``."""

    name = "rabbitmq"
    variable = "TEST_RABBITMQ_URL"
    packages = ("rabbitmq-server",)
    user = "rabbitmq"
    ending = signal.SIGTERM

    def program(self) -> Path | None:
        """Find the script that neither changes the user nor writes to the system's folders."""
        found = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
        return found if found.exists() else None

    def start(self, place: Place, program: Path, user: str | None) -> None:
        """Write its configuration and start it, with a port mapper of its own."""
        configuration = place.folder / "rabbitmq.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"listeners.tcp.1 = {HOST}:{place.port}\n"
            f"default_user = buttress\ndefault_pass = {place.password}\n"
            "log.file = false\nlog.console = true\n"
        )
        if user is not None:
            shutil.chown(configuration, user)
        environ = {
            "RABBITMQ_NODENAME": f"buttress{place.port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(configuration),
            "RABBITMQ_CONF_ENV_FILE": str(place.folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(place.folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(place.data),
            "RABBITMQ_LOG_BASE": str(place.data),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(free_port()),
            "ERL_EPMD_ADDRESS": HOST,
        }
        place.start(["/bin/sh", "-c", WITH_EPMD, str(program)], user, environ)

    def is_ready(self, place: Place) -> bool:
        """Say hello as AMQP 0-9-1 does; the answer is the broker's Start, with its product."""
        return says(place.port, b"AMQP\x00\x00\x09\x01", b"RabbitMQ")

    def url(self, place: Place) -> str:
        """Give the URL of the virtual host ``/``."""
        return f"amqp://buttress:{place.password}@{HOST}:{place.port}/%2F"
