from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import request, url_for
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from buttress import ConfigError, Service
from buttress.web.hosts import parts_of_host
from buttress.web.proxies import Proxies
from tests.servers import require_server
from tests.services import Make
from tests.serving.running import RUN, Running

PACKAGE = """
import json
import os

from flask import jsonify, request, url_for

from buttress import create_app


def seen():
    return jsonify(
        address=request.remote_addr,
        secure=request.is_secure,
        url=url_for("seen", _external=True),
    )


def make():
    app = create_app("shop", config=json.loads(os.environ["GIVEN"]))
    app.add_url_rule("/seen", "seen", seen)
    return app
"""
#: What a proxy at the test client's address says.
SAID = {
    "X-Forwarded-For": "198.51.100.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "shop.example",
}


def shop(make: Make, **config: Any) -> FlaskClient:
    """Make a service that tells what it sees of a request, and give its client."""
    app = make(**config)

    @app.get("/seen")
    def seen() -> dict[str, Any]:
        return {
            "address": request.remote_addr,
            "route": list(request.access_route),
            "secure": request.is_secure,
            "host": request.host,
            "url": url_for("seen", _external=True),
        }

    return app.test_client()


def see(client: FlaskClient, peer: str = "127.0.0.1", **headers: str) -> Any:
    """Ask by way of a proxy at an address, and give what the service sees."""
    said = {f"X-Forwarded-{name}": value for name, value in headers.items()}
    return client.get("/seen", headers=said, environ_base={"REMOTE_ADDR": peer}).json


def test_nobody_is_believed_by_default(make: Make) -> None:
    """Without a declaration the headers change nothing."""
    answer = shop(make).get("/seen", headers=SAID)
    expected = {"address": "127.0.0.1", "secure": False, "host": "localhost"}
    assert expected.items() <= answer.json.items()
    assert "Strict-Transport-Security" not in answer.headers


def test_declared_proxy_is_believed(make: Make) -> None:
    """What a declared proxy says is what Flask, its URLs and the security headers see."""
    answer = shop(make, WEB_TRUSTED_PROXIES="127.0.0.1").get("/seen", headers=SAID)
    assert answer.json == {
        "address": "198.51.100.7",
        "route": ["198.51.100.7"],
        "secure": True,
        "host": "shop.example",
        "url": "https://shop.example/seen",
    }
    assert "Strict-Transport-Security" in answer.headers


def test_what_does_not_count_is_gone(make: Make) -> None:
    """Of what a client sent before the proxy's own, nothing is left for code that reads it."""
    app = make(WEB_TRUSTED_PROXIES="127.0.0.1")
    names = [name for name in SAID if name != "X-Forwarded-For"]
    app.add_url_rule("/raw", "raw", lambda: [request.headers[name] for name in SAID])
    said = {**SAID, **{name: f"evil.test, {SAID[name]}" for name in names}}
    assert app.test_client().get("/raw", headers=said).json == list(SAID.values())


def test_others_are_not_believed(make: Make) -> None:
    """From another address the headers are dropped, so that no code reads them by itself."""
    client = shop(make, WEB_TRUSTED_PROXIES="10.0.0.0/8")
    found = see(client, "203.0.113.5", For="198.51.100.7", Proto="https", Host="evil.test")
    assert found == {
        "address": "203.0.113.5",
        "route": ["203.0.113.5"],
        "secure": False,
        "host": "localhost",
        "url": "http://localhost/seen",
    }


@pytest.mark.parametrize(
    ("chain", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("198.51.100.7, 10.1.1.1", "198.51.100.7"),
        ("6.6.6.6, 198.51.100.7,10.1.1.1 ,  10.2.2.2", "198.51.100.7"),
        ("10.6.6.6, 198.51.100.7", "198.51.100.7"),
        ("10.3.3.3, 10.2.2.2", "10.3.3.3"),
        ("198.51.100.7:4711", "198.51.100.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("2001:0db8:0:0::7", "2001:db8::7"),
        ("198.51.100.7, ::ffff:10.1.1.1", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("6.6.6.6, fd00::1, 10.1.1.1", "6.6.6.6"),
        ("", "10.0.0.1"),
        (",", "10.0.0.1"),
        ("unknown", "10.0.0.1"),
        ("6.6.6.6, _hidden", "10.0.0.1"),
        ("6.6.6.6, _hidden, 10.1.1.1", "10.1.1.1"),
        ("6.6.6.6, 1.2.3", "10.0.0.1"),
        ("6.6.6.6, 1.2.3.4.5", "10.0.0.1"),
        ("6.6.6.6, 1.1.1.1" + "1" * 200, "10.0.0.1"),
        ("6.6.6.6, 198.51.100.07", "10.0.0.1"),
        ("6.6.6.6, <script>", "10.0.0.1"),
        ("6.6.6.6, ٣.٣.٣.٣".encode().decode("latin-1"), "10.0.0.1"),
    ],
    ids=lambda text: text[:40].encode("ascii", "replace").decode(),
)
def test_client_is_found_from_the_right(make: Make, chain: str, address: str) -> None:
    """The client is the first from the right that is not declared, or the last one known."""
    found = see(shop(make, WEB_TRUSTED_PROXIES="10.0.0.0/8, fd00::/8"), "10.0.0.1", For=chain)
    assert found["address"] == address
    assert found["route"][0] == address


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        ({"Proto": "https"}, "https://localhost/"),
        ({"Proto": "HTTPS"}, "https://localhost/"),
        ({"Proto": "http, https"}, "https://localhost/"),
        ({"Proto": "https, http"}, "http://localhost/"),
        ({"Proto": "https, http", "For": "6.6.6.6, 10.1.1.1"}, "https://localhost/"),
        ({"Proto": "https", "For": "6.6.6.6, 10.1.1.1"}, "https://localhost/"),
        ({"Proto": "javascript"}, "http://localhost/"),
        ({"Proto": ""}, "http://localhost/"),
        ({"Host": "shop.example:8443"}, "http://shop.example:8443/"),
        ({"Host": "evil.test, shop.example"}, "http://shop.example/"),
        ({"Host": "shop.example", "Port": "8443"}, "http://shop.example:8443/"),
        ({"Host": "shop.example:80", "Proto": "http"}, "http://shop.example/"),
        ({"Host": "[2001:db8::1]:81"}, "http://[2001:db8::1]:81/"),
        ({"Port": "8443", "Proto": "https"}, "https://localhost:8443/"),
        ({"Port": "443", "Proto": "https"}, "https://localhost/"),
        *[({"Port": port}, "http://localhost/") for port in ("0", "65536", "-1", "8x", "²", "")],
        *[
            ({"Host": host}, "http://localhost/")
            for host in ("a/b", "a@b", "a b", "", ":80", "a:b", "\xe9", "a\\b", "a?b", "[::1")
        ],
    ],
    ids=lambda it: str(it).encode("ascii", "replace").decode(),
)
def test_scheme_host_and_port(make: Make, headers: dict[str, str], url: str) -> None:
    """Of several values the one counts that the outermost proxy set; what is malformed does not."""
    found = see(shop(make, WEB_TRUSTED_PROXIES="10.0.0.0/8"), "10.0.0.1", **headers)
    assert found["url"] == f"{url}seen"


ADDRESSES = st.sampled_from(["10.1.1.1", "10.2.2.2", "198.51.100.7", "6.6.6.6", "::1", "x", ""])


@given(st.lists(ADDRESSES, max_size=6), st.text(max_size=30), st.text(max_size=30))
def test_nothing_left_of_a_stranger_counts(chain: list[str], host: str, port: str) -> None:
    """Whatever is said, the client is an address right of which only declared proxies stand."""
    environ = {
        "REMOTE_ADDR": "10.0.0.1",
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "internal",
        "HTTP_X_FORWARDED_FOR": ",".join(chain),
        "HTTP_X_FORWARDED_PROTO": port,
        "HTTP_X_FORWARDED_HOST": host,
        "HTTP_X_FORWARDED_PORT": port,
    }
    Proxies(["10.0.0.0/8"]).believe(environ)
    hops = ["10.0.0.1", *reversed(chain)]
    place = hops.index(environ["REMOTE_ADDR"])
    assert all(hop.startswith("10.") for hop in hops[:place])
    assert environ["wsgi.url_scheme"] in ("http", "https")
    assert parts_of_host(environ["HTTP_HOST"])[0] is not None


@pytest.mark.parametrize("proxies", ["unix", "10.0.0.0/8"])
def test_unix_socket_is_declared_too(make: Make, proxies: str) -> None:
    """Whoever comes by the Unix socket, and so has no address, is believed where that is said."""
    found = see(shop(make, WEB_TRUSTED_PROXIES=proxies), "", For="198.51.100.7")
    assert found["address"] == ("198.51.100.7" if proxies == "unix" else "")


def test_handed_on_request_stays_the_same(make: Make) -> None:
    """A service inside another one, which has looked already, sees the same client."""
    inner = shop(make, WEB_TRUSTED_PROXIES="127.0.0.1").application
    outer = make("hall", WEB_TRUSTED_PROXIES="127.0.0.1")
    outer.add_url_rule("/seen", "seen", lambda: inner)
    found = outer.test_client().get("/seen", headers=SAID).json
    assert (found["address"], found["url"]) == ("198.51.100.7", "https://shop.example/seen")


def test_nothing_is_in_the_way_by_default(make: Make) -> None:
    """Where nothing is declared, nothing is done for a request."""
    app: Service = make()
    assert app.edge is not None
    assert app.edge.shortcuts == []


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"WEB_TRUSTED_PROXIES": "*"}, "WEB_TRUSTED_PROXIES: '\\*' does not appear"),
        ({"WEB_TRUSTED_PROXIES": "10.0.0.1/8"}, "has host bits set"),
        ({"WEB_TRUSTED_PROXIES": "proxy.example"}, "write an address"),
    ],
    ids=lambda it: str(it).encode("ascii", "replace").decode(),
)
def test_bad_settings_are_named(make: Make, config: dict[str, Any], named: str) -> None:
    """What is no proxy stops the boot."""
    with pytest.raises(ConfigError, match=named):
        make(**config)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Give a function that serves the package with a server, and waits until it is ready."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text(PACKAGE)
    (tmp_path / "run.py").write_text(RUN)
    started: list[Running] = []

    def begin(server: str, host: str = "127.0.0.1", **config: Any) -> Running:
        require_server(server)
        given = {"MODE": "testing", "HOST": host, "PORT": 0, "SERVER": server, **config}
        started.append(Running(tmp_path, ["run.py"], {"GIVEN": json.dumps(given), "HOST": host}))
        return started[-1].until_ready()

    yield begin
    for running in started:
        running.end()


@pytest.mark.parametrize("server", ["granian", "gunicorn", "bjoern"])
def test_every_server(start: Callable[..., Running], server: str) -> None:
    """On every server a declared proxy is believed, and another host refused."""
    running = start(server, WEB_TRUSTED_PROXIES="127.0.0.1", WEB_ALLOWED_HOSTS="shop.example")
    answer = running.ask("/seen", headers={**SAID, "Host": "internal"})
    found = json.loads(answer.body)
    assert (found["address"], found["url"]) == ("198.51.100.7", "https://shop.example/seen")
    assert found["secure"] is True
    assert "strict-transport-security" in answer.headers
    assert running.ask("/seen", headers={"Host": "evil.test"}).status == 400


@pytest.mark.parametrize("server", ["granian", "gunicorn", "bjoern"])
def test_no_server_believes_by_itself(start: Callable[..., Running], server: str) -> None:
    """On every server nobody is believed who is not declared, not even this machine."""
    found = json.loads(start(server).ask("/seen", headers={**SAID, "Host": "internal"}).body)
    assert found == {"address": "127.0.0.1", "secure": False, "url": "http://internal/seen"}


@pytest.mark.parametrize("server", ["granian", "gunicorn", "bjoern"])
def test_unix_socket_of_a_server(
    start: Callable[..., Running], server: str, tmp_path: Path
) -> None:
    """A proxy that comes by a Unix socket is declared by that word."""
    running = start(server, f"unix:{tmp_path}/socket", WEB_TRUSTED_PROXIES="unix")
    found = json.loads(running.ask("/seen", headers=SAID).body)
    assert (found["address"], found["url"]) == ("198.51.100.7", "https://shop.example/seen")
