from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from buttress import ConfigError
from tests.services import Make

HOSTS = ["shop.example", ".lifts.example", "[2001:db8::1]", "192.0.2.9", "Snow.Example"]


def shop(make: Make, **config: Any) -> FlaskClient:
    """Make a service with one view, and give its client."""
    app = make(**config)
    app.add_url_rule("/seen", "seen", lambda: "seen")
    return app.test_client()


@pytest.mark.parametrize(
    "host",
    ["shop.example", "SHOP.example", "shop.example:8080", "lifts.example", "a.b.lifts.example:1",
     "[2001:db8::1]", "[2001:DB8::1]:80", "192.0.2.9:80", "snow.example"],
)  # fmt: skip
def test_allowed_hosts(make: Make, host: str) -> None:
    """A host that is listed is let in, in whatever case and with any port; so are subdomains."""
    answer = shop(make, WEB_ALLOWED_HOSTS=HOSTS).get("/seen", headers={"Host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.test", "", "shop.example.evil.test", "evilshop.example", "a.shop.example",
     "evil-lifts.example", "shop.example.", "shop.example@evil.test", "evil.test/shop.example",
     "shop.example evil.test", "shop.example,evil.test", "[2001:db8::2]", "192.0.2.8",
     "shop.example:port", "shop.example\x00", ".lifts.example@x", "localhost"],
    ids=lambda text: text.encode("unicode_escape").decode() or "none",
)  # fmt: skip
def test_other_hosts_are_refused(make: Make, host: str) -> None:
    """Any other host is refused with a problem, before a hook of the application's runs."""
    client = shop(make, WEB_ALLOWED_HOSTS=HOSTS)
    client.application.before_request(lambda: "a hook has run")
    answer = client.get("/seen", headers={"Host": host, "X-Request-Id": "r-1"})
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert (answer.json["code"], answer.json["request_id"]) == ("bad_request", "r-1")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert host not in answer.text or not host


def test_no_host_is_refused(make: Make) -> None:
    """A request without a host, as HTTP/1.0 allows, names no allowed one."""
    client = shop(make, WEB_ALLOWED_HOSTS=HOSTS)
    assert client.get("/seen", environ_overrides={"HTTP_HOST": None}).status_code == 400


def test_probes_need_no_host(make: Make) -> None:
    """An orchestrator asks by address, which is nobody's business to list."""
    client = shop(make, WEB_ALLOWED_HOSTS=HOSTS)
    assert client.get("/livez", headers={"Host": "10.1.2.3:8000"}).status_code == 200


def test_host_of_a_proxy_is_looked_at(make: Make) -> None:
    """It is the host that the client named which must be allowed."""
    client = shop(make, WEB_ALLOWED_HOSTS=HOSTS, WEB_TRUSTED_PROXIES="127.0.0.1")
    for host, status in (("shop.example", 200), ("evil.test", 400)):
        headers = {"Host": "internal", "X-Forwarded-Host": host}
        assert client.get("/seen", headers=headers).status_code == status


def test_many_hosts_take_no_memory(make: Make) -> None:
    """However many subdomains are asked for, few are remembered."""
    client = shop(make, WEB_ALLOWED_HOSTS=".lifts.example")
    refuse = client.application.edge.shortcuts[0]  # type: ignore[attr-defined]  # it is a Service
    for number in range(2500):
        assert refuse({"HTTP_HOST": f"{number}.lifts.example"}) is None
    assert len(refuse.__self__._known) <= 1000


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"WEB_ALLOWED_HOSTS": "*"}, "'\\*' is no host"),
        ({"WEB_ALLOWED_HOSTS": "*.shop.example"}, "'.shop.example' for its subdomains"),
        ({"WEB_ALLOWED_HOSTS": "https://shop.example"}, "without scheme and port"),
        ({"WEB_ALLOWED_HOSTS": "shop.example:80"}, "is no host"),
        ({"WEB_ALLOWED_HOSTS": "."}, "is no host"),
        ({"WEB_ALLOWED_HOSTS": "b\xfccher.example"}, "is no host"),
    ],
    ids=lambda it: str(it).encode("ascii", "replace").decode(),
)
def test_bad_settings_are_named(make: Make, config: dict[str, Any], named: str) -> None:
    """What is no host stops the boot."""
    with pytest.raises(ConfigError, match=named):
        make(**config)
