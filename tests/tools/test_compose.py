"""The servers of the tests as containers."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.rules.source import ROOT
from tools.services.__main__ import SERVERS

TEXT = (ROOT / "deploy/compose.yml").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]


def test_the_servers_are_the_same() -> None:
    """Every server that the tests can start is a container too, and no other is."""
    assert list(SERVICES) == [server.name for server in SERVERS]


def test_every_url_is_told() -> None:
    """The comment has the variable of every server, with a port that its container publishes."""
    told = dict(re.findall(r"^#   export (TEST_\w+)=\"[^\"]*?127\.0\.0\.1:(\d+)", TEXT, re.M))
    ports = {server.variable: SERVICES[server.name]["ports"][0].split(":")[1] for server in SERVERS}
    assert told == ports


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_for_this_machine_only(name: str) -> None:
    """Every port is published on the loopback interface."""
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_no_password_in_the_file(name: str) -> None:
    """A password comes from the environment, and without it nothing starts."""
    environment = SERVICES[name].get("environment", {})
    secrets = [value for key, value in environment.items() if "PASS" in key]
    assert all(value.startswith("${SERVICES_PASSWORD:?") for value in secrets)
