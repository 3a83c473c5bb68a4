"""What is asked of a provider, and how much and for how long it may answer."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from itertools import count
from pathlib import Path
from socket import create_server

import pytest

from buttress.lifecycle import Deadline
from buttress.oidc import ProviderDown, ProviderRefuses, Server
from buttress.oidc import server as module
from buttress.oidc.server import LONGEST
from tests.oidc.conftest import Answering, saying
from tools.services.place import free_port

USELESS = {
    "an error": (500, b"{}"),
    "an error with a code": (500, b'{"error": "server_error"}'),
    "a redirect": (302, b"{}"),
    "no content": (204, b""),
    "too many requests": (429, b'{"error": "access_denied"}'),
    "not found": (404, b"{}"),
    "an odd error": (403, b'{"error": {}}'),
    "nothing": (200, b""),
    "no JSON": (200, b"<html>"),
    "a list": (200, b"[]"),
    "no UTF-8": (200, b'{"keys": "\xff"}'),
    "too much": (200, b'{"keys": "' + b"x" * LONGEST + b'"}'),
    "deep": (200, b'{"keys":' + b"[" * 30_000),
}


@pytest.fixture
def server() -> Server:
    """Give what asks, without patience."""
    return Server("login.example", timeout=0.15)


def refusal(server: Server, url: str) -> tuple[str, float]:
    """Give why a provider is down, and the seconds after which that was known."""
    began = time.monotonic()
    with pytest.raises(ProviderDown) as caught:
        server.ask("GET", url)
    return str(caught.value), time.monotonic() - began


def test_an_answer(server: Server, provider: Answering) -> None:
    """A JSON object is given as it is."""
    provider.answer = saying(200, b'{"a": ["\xc3\xa9"]}')
    assert server.ask("GET", provider.url) == {"a": ["é"]}
    assert server.ask("POST", provider.url, data={"a": "b"}) == {"a": ["é"]}


@pytest.mark.parametrize("name", USELESS)
def test_what_is_no_answer(server: Server, provider: Answering, name: str) -> None:
    """An answer that says nothing is as none."""
    provider.answer = saying(*USELESS[name])
    assert provider.url in refusal(server, provider.url)[0]


@pytest.mark.parametrize(
    ("status", "headers"),
    [(307, {"Location": "/elsewhere"}), (200, {"Content_Encoding": "deflate"})],
    ids=["a redirect", "compressed"],
)
def test_answers_that_lead_on(
    server: Server, provider: Answering, status: int, headers: dict[str, str]
) -> None:
    """A redirect is not followed, and nothing is unpacked."""
    provider.answer = saying(status, zlib.compress(b"{}"), **headers)
    refusal(server, provider.url)
    assert [path for _, path, _ in provider.asked] == ["/x"]


def test_a_refusal(server: Server, provider: Answering) -> None:
    """It has the provider's code, and is no reason to leave the provider alone."""
    provider.answer = saying(403, b'{"error": "invalid_grant"}')
    for _ in range(3):
        with pytest.raises(ProviderRefuses) as caught:
            server.ask("POST", provider.url, data={})
        assert caught.value.error == "invalid_grant"
    assert len(provider.asked) == 3


def test_the_environment_has_no_say(
    server: Server, provider: Answering, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither a proxy nor a login of the environment comes in, and no cookie is kept."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login eve password eve")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "")
    provider.answer = saying(200, b"{}", Set_Cookie="a=b")
    for _ in range(2):
        server.ask("GET", provider.url)
    assert not {"Authorization", "Cookie"} & {name for *_, had in provider.asked for name in had}


def drop_by_drop(to: BaseHTTPRequestHandler) -> Iterator[None]:
    """Begin an answer that never ends."""
    to.send_response(200)
    to.end_headers()
    for _ in count():
        to.wfile.write(b" ")
        time.sleep(0.02)
        yield


def test_an_answer_that_does_not_end(server: Server, provider: Answering) -> None:
    """An answer that comes drop by drop is left, although it is never silent for long."""
    provider.answer = lambda to: [*drop_by_drop(to)].clear()
    why, seconds = refusal(server, provider.url)
    assert "does not end" in why
    assert seconds < 1


def test_an_answer_that_breaks_off(server: Server, provider: Answering) -> None:
    """An answer that is shorter than it said is none."""
    provider.answer = saying(200, b"{}", Content_Length="3")
    assert "IncompleteRead" in refusal(server, provider.url)[0]


def test_who_keeps_others_waiting_is_left_alone(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After one has waited in vain the others are told at once."""
    monkeypatch.setattr(module, "WAITED", 0.1)
    with create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        first, seconds = refusal(server, url)
        assert "timed out" in first
        assert seconds >= 0.15
        again = [refusal(server, url) for _ in range(20)]
    assert {"left alone" in why for why, _ in again} == {True}
    assert sum(seconds for _, seconds in again) < 20 * seconds


def test_a_slow_error_keeps_others_waiting_too(
    server: Server, provider: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the provider's own is a failure as silence is, once somebody has waited."""
    monkeypatch.setattr(module, "WAITED", 0.0)
    provider.answer = saying(503, b"{}")
    assert "it answers 503" in refusal(server, provider.url)[0]
    assert "left alone" in refusal(server, provider.url)[0]


def test_what_fails_at_once_is_asked_again(server: Server, provider: Answering) -> None:
    """A question that makes the provider stumble does not shut it off for others."""
    provider.answer = lambda to: to.wfile.close()
    for _ in range(3):
        refusal(server, provider.url)
    provider.answer = saying(500, b"{}")
    refusal(server, provider.url)
    provider.answer = saying(200, b"{}")
    assert server.ask("GET", provider.url) == {}


def test_a_request_that_has_little_time(
    provider: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for the provider longer than for the answer to the request itself."""
    monkeypatch.setattr(module, "current_deadline", lambda: Deadline(0.1))
    with create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        assert refusal(Server("login.example"), url)[1] < 1
    monkeypatch.setattr(module, "current_deadline", lambda: Deadline(-1))
    assert refusal(Server("login.example"), f"http://127.0.0.1:{free_port()}")[1] < 1
