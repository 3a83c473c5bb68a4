"""The settings: one address, TLS unless it is this machine, and nothing that contradicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from buttress import Secret
from buttress.pulse import PulseSettings

AWAY = {"user": "resort", "password": Secret("deep snow")}


def settings(**given: Any) -> PulseSettings:
    """Make settings; a URL and a password are secrets."""
    for name in ("url", "password"):
        if isinstance(given.get(name), str):
            given[name] = Secret(given[name])
    return PulseSettings(**given)


def test_by_default_it_is_the_guest_of_this_machine() -> None:
    """Without any setting, RabbitMQ's own defaults hold, and no TLS."""
    address = settings().address
    assert (address.shown, address.tls) == ("localhost:5672", False)
    assert (address.user, address.password, address.virtual_host) == ("guest", Secret("guest"), "/")
    assert list(settings().problems()) == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"])
def test_loopback_needs_no_tls(host: str) -> None:
    """What does not leave the machine is not encrypted."""
    assert not settings(host=host).address.tls


@pytest.mark.parametrize("host", ["pulse.mozilla.org", "10.0.0.7", "localhost.example"])
def test_tls_is_on_for_another_host(host: str) -> None:
    """Whatever leaves the machine is encrypted, on the port for it."""
    address = settings(host=host, **AWAY).address
    assert (address.tls, address.port) == (True, 5671)


def test_tls_can_be_chosen() -> None:
    """PULSE_USE_SSL says otherwise."""
    assert settings(host="10.0.0.7", use_ssl=False, **AWAY).address.port == 5672
    assert settings(use_ssl=True).address.port == 5671


def test_a_url_says_it_all() -> None:
    """User, password and virtual host are unescaped."""
    address = settings(url="amqps://re%40sort:deep%2Fsnow@broker.example:1234/piste%2Fa").address
    assert (address.shown, address.tls) == ("broker.example:1234", True)
    assert (address.user, address.password) == ("re@sort", Secret("deep/snow"))
    assert address.virtual_host == "piste/a"


def test_a_url_may_be_short() -> None:
    """What it leaves out has its default."""
    address = settings(url="amqp://[::1]").address
    assert (address.shown, address.user, address.virtual_host) == ("[::1]:5672", "guest", "/")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"url": "http://h"}, "must begin with amqp:// or amqps://"),
        ({"url": "amqp://"}, "must be written as amqps://"),
        ({"url": "amqp://localhost:x"}, "is no URL"),
        ({"url": "amqp://localhost/a/b"}, "write that as %2F"),
        ({"url": "amqp://localhost/a?heartbeat=3"}, "must have no ?"),
        ({"url": "amqp://localhost", "host": "localhost", "port": 1}, "PULSE_HOST, PULSE_PORT"),
        ({"url": "amqp://u:p@10.0.0.7"}, "in the clear"),
        ({"url": "amqps://u:p@10.0.0.7", "use_ssl": False}, "change one of them"),
        ({"url": "amqp://u:p@10.0.0.7", "use_ssl": True}, "change one of them"),
        ({"url": "amqps://10.0.0.7"}, "guest from its own machine only"),
        ({"url": "amqps://u@10.0.0.7"}, "Set both of the user and the password in PULSE_URL"),
        ({"host": "10.0.0.7"}, "set PULSE_USER and PULSE_PASSWORD"),
        ({"user": "resort"}, "Set both of PULSE_USER and PULSE_PASSWORD"),
        ({"host": "not a host", **AWAY}, "is no host"),
        ({"ca_file": Path("nowhere.pem")}, "there is no file nowhere.pem"),
    ],
)
def test_what_does_not_go_together_is_named(given: dict[str, Any], problem: str) -> None:
    """Each mistake is one sentence that says what to do."""
    problems = list(settings(**given).problems())
    assert len(problems) == 1, problems
    assert problem in problems[0]


def test_plain_amqp_to_another_host_must_be_meant() -> None:
    """With PULSE_USE_SSL=false it is."""
    assert list(settings(url="amqp://u:p@10.0.0.7", use_ssl=False).problems()) == []


def test_no_problem_shows_a_secret() -> None:
    """A URL that is wrong is not repeated."""
    wrong = settings(url="amqp://u:deep%20snow@h:port/", password="deep snow")
    assert not any("deep" in problem for problem in wrong.problems())
