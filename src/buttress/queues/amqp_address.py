"""Where RabbitMQ is: what ``QUEUES_URL`` says."""

from __future__ import annotations

from pathlib import Path

from buttress.amqp.address import EXAMPLE, Address, parsed
from buttress.config import Secret
from buttress.errors import ConfigError


def address_of(url: Secret, ca_file: Path | None = None) -> Address:
    """Read the setting. Raises `ConfigError`, which does not show it, for one that is no URL."""
    if ca_file is not None and not ca_file.is_file():
        raise ConfigError([f"QUEUES_CA_FILE: there is no file {ca_file}."])
    try:
        said = parsed(url)
    except ValueError as error:
        raise ConfigError(
            [
                f"QUEUES_URL (its value is not shown) is no AMQP URL: it {error}. Write it as "
                f"{EXAMPLE}, with %2F for a / and %3F for a ? in names and passwords."
            ]
        ) from None
    return said.address(tls=said.tls, ca_file=ca_file)
