from __future__ import annotations

import io
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from urllib3.util import Timeout

from buttress.peers import PeerError, PeerTimeout, PeerUnavailable
from buttress.peers.transport import limited
from tests.peers.conftest import Meet
from tests.peers.other import (
    Answer,
    Other,
    echo,
    reset,
    said,
    silent,
    slow,
    truncated,
    unused_address,
)

Start = Callable[..., Other]
GOOD = said(200, b"good")
TROUBLE = [said(502), said(503), said(504), truncated, silent, reset]


def times(other: Other) -> list[str]:
    """List the methods that arrived."""
    return [seen.method for seen in other.seen]


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_idempotent_methods_are_repeated(
    other: Start, meet: Meet, trouble: Answer, method: str
) -> None:
    """An idempotent call is tried again after a gateway's error and a connection that breaks."""
    piste = other(trouble, GOOD)
    answer = meet(piste.address).peer("piste").request(method, "x")
    assert (answer.content, times(piste)) == (b"good", [method, method])


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("trouble", [truncated, silent, reset])
def test_other_methods_are_not(other: Start, meet: Meet, trouble: Answer, method: str) -> None:
    """A call that may have had its effect is never sent twice."""
    piste = other(trouble, GOOD)
    with pytest.raises(PeerError):
        meet(piste.address).peer("piste").request(method, "x", data=b"lift")
    assert times(piste) == [method]


@pytest.mark.parametrize("status", [400, 404, 429, 500, 501])
def test_other_answers_are_final(other: Start, meet: Meet, status: int) -> None:
    """Any answer but a gateway's error is given to the caller at once."""
    piste = other(said(status))
    assert meet(piste.address).peer("piste").get("x").status_code == status
    assert times(piste) == ["GET"]


def test_last_answer_is_given(other: Start, meet: Meet) -> None:
    """After the last attempt the caller gets the answer, as from requests."""
    piste = other(said(503, b"closed"))
    answer = meet(piste.address, retries=2).peer("piste").get("x")
    assert (answer.status_code, answer.content, len(piste.seen)) == (503, b"closed", 3)


def test_no_retries(other: Start, meet: Meet) -> None:
    """With ``retries=0`` every call is sent once."""
    piste = other(said(503), GOOD)
    assert meet(piste.address, retries=0).peer("piste").get("x").status_code == 503


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unreachable(meet: Meet, method: str, caplog: pytest.LogCaptureFixture) -> None:
    """What never got through is tried again whatever the method; then the error says why."""
    peers = meet(unused_address(), retries=2, breaker_failures=9)
    with pytest.raises(PeerUnavailable, match="piste: .*refused") as error:
        peers.peer("piste").request(method, "login?token=abc")
    assert isinstance(error.value, requests.ConnectionError)
    assert peers.report()["piste"]["failures"] == 3
    assert "abc" not in str(error.value) + caplog.text


def test_connection_closed_while_idle(other: Start, meet: Meet) -> None:
    """A kept connection that the server closed meanwhile costs no call, POST included."""
    piste = other(GOOD)
    peer = meet(piste.address).peer("piste")
    peer.post("x")
    piste.hang_up()
    time.sleep(0.05)
    assert peer.post("x").content == b"good"


def test_silence_is_not_met_with_another_call(other: Start, meet: Meet) -> None:
    """Who does not answer in time is not asked again; the error is a 504 and a Timeout."""
    piste = other(slow(0.2))
    with pytest.raises(PeerTimeout) as error:
        meet(piste.address, read_timeout=0.05).peer("piste").get("x")
    assert isinstance(error.value, requests.ReadTimeout)
    assert (error.value.code, times(piste)) == (504, ["GET"])


def test_silence_in_the_body(other: Start, meet: Meet) -> None:
    """An answer that stops in its middle is a timeout, too."""

    def stops(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"half")
        handler.wfile.flush()
        time.sleep(0.2)

    piste = other(stops)
    with pytest.raises(PeerTimeout):
        meet(piste.address, read_timeout=0.05).peer("piste").get("x")
    assert times(piste) == ["GET"]


def test_connect_timeout(meet: Meet) -> None:
    """An address that swallows every packet fails after the connect timeout, and is a Timeout."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        # The queue of connections is full after these.
        fill = [socket.socket() for _ in range(3)]
        for each in fill:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        address = "127.0.0.1:{}".format(*full.getsockname()[1:])
        peers = meet(address, connect_timeout=0.05, retries=1)
        with pytest.raises(PeerTimeout) as error:
            peers.peer("piste").post("x")
        for each in fill:
            each.close()
    assert isinstance(error.value, requests.ConnectTimeout)


def test_retry_after_is_honoured(other: Start, meet: Meet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause is as long as ``Retry-After`` says."""
    waited: list[float] = []
    monkeypatch.setattr("buttress.peers.transport.time.sleep", waited.append)
    meet(other(said(503, Retry_After="3"), GOOD).address).peer("piste").get("x")
    assert waited == [3]


def test_long_retry_after_is_not_waited_for(other: Start, meet: Meet) -> None:
    """Who asks to wait for longer than anybody would is not asked again."""
    piste = other(said(503, Retry_After="3600"), GOOD)
    assert meet(piste.address).peer("piste").get("x").status_code == 503
    assert times(piste) == ["GET"]


def test_budget_limits_retries(other: Start, meet: Meet) -> None:
    """When all calls fail, the retries are a share of them and not a multiple."""
    piste = other(said(503))
    peer = meet(piste.address, retries=5, retry_budget=0.1, breaker_failures=1000).peer("piste")
    for _ in range(30):
        peer.get("x")
    assert len(piste.seen) == 33


def lines() -> Iterator[bytes]:
    """Give a body that can be read once."""
    yield b"one"
    yield b"two"


def test_file_is_rewound(other: Start, meet: Meet) -> None:
    """A file is sent anew from where it stood, not from its end."""
    piste = other(silent, GOOD)
    file = io.BytesIO(b"..lift")
    file.seek(2)
    meet(piste.address).peer("piste").put("x", file)
    assert [seen.body for seen in piste.seen] == [b"lift", b"lift"]


def test_generator_is_not_sent_again(other: Start, meet: Meet) -> None:
    """A body that can be read only once is not sent twice."""
    piste = other(said(503), GOOD)
    answer = meet(piste.address).peer("piste").put("x", lines())
    assert (answer.status_code, [seen.body for seen in piste.seen]) == (503, [b"onetwo"])


def test_generator_that_was_not_read(
    other: Start, meet: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body of which nothing was sent is whole when the second attempt is connected."""
    address = unused_address()
    port, started = int(address.partition(":")[2]), []
    pause = "buttress.peers.transport.time.sleep"
    monkeypatch.setattr(pause, lambda _: started.append(other(GOOD, port=port)))
    assert meet(address).peer("piste").post("x", lines()).content == b"good"
    assert [seen.body for seen in started[0].seen] == [b"onetwo"]


def test_breaker(other: Start, meet: Meet) -> None:
    """A failing peer is left alone: calls fail at once, unseen by it, until a probe succeeds."""
    piste = other(said(503), said(503), said(503), GOOD)
    peers = meet(piste.address, retries=0, breaker_failures=3, breaker_seconds=0.2)
    peer = peers.peer("piste")
    for _ in range(3):
        peer.get("x")
    with pytest.raises(PeerUnavailable, match="left alone") as error:
        peer.get("x")
    assert (error.value.code, error.value.headers) == (503, {"Retry-After": "1"})
    assert (len(piste.seen), peers.report()["piste"]["state"]) == (3, "open")
    time.sleep(0.2)
    assert peers.report()["piste"]["state"] == "half-open"
    assert peer.get("x").content == b"good"
    assert peers.report()["piste"] == {"state": "closed", "failures": 0}


def test_retries_end_when_the_circuit_opens(other: Start, meet: Meet) -> None:
    """The caller gets the real answer, not that the circuit opened meanwhile."""
    piste = other(said(503, b"closed"))
    answer = meet(piste.address, retries=5, breaker_failures=2).peer("piste").get("x")
    assert (answer.content, len(piste.seen)) == (b"closed", 2)


def test_mistakes_of_the_caller_are_no_failures(meet: Meet, other: Start) -> None:
    """An error in the call itself stays what it is, and neither counts nor keeps the probe."""
    piste = other(said(503), GOOD)
    peers = meet(piste.address, retries=0, breaker_failures=1, breaker_seconds=0.05)
    peer = peers.peer("piste")
    peer.get("x")
    time.sleep(0.05)
    with pytest.raises(ValueError, match="timeout"):
        peer.get("x", timeout=(1, 2, 3))
    assert peer.get("x").content == b"good"


def test_stream_is_not_read(other: Start, meet: Meet) -> None:
    """A streamed answer is left to the caller, who meets the errors of its body."""
    answer = meet(other(truncated).address).peer("piste").get("x", stream=True)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        _ = answer.content
    answer.close()


def test_connections_are_kept(other: Start, meet: Meet) -> None:
    """Calls one after another use one connection."""
    piste = other(GOOD)
    peers = meet(piste.address)
    for _ in range(10):
        peers.peer("piste").get("x")
    assert len(piste.connections) == 1


def test_many_threads(other: Start, meet: Meet) -> None:
    """50 threads at once each get their own answers, over at most 50 connections."""
    piste = other(echo)
    peers = meet(piste.address, pool_size=50)
    wrong: list[object] = []

    def call(number: int) -> None:
        for turn in range(5):
            mark = f"{number}-{turn}"
            answer = peers.peer("piste").get("x", headers={"X-Mark": mark}).json()
            if answer["X-Mark"] != mark:
                wrong.append(answer)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wrong, len(piste.seen)) == ([], 250)
    assert len(piste.connections) <= 50


FORK = """
import os, sys
from buttress.peers import Peers, PeersSettings
from buttress.peers.address import Addresses
peer = Peers(Addresses({"piste": sys.argv[1]}, "", {}), PeersSettings()).peer("piste")
peer.get("before")
child = os.fork()
good = peer.get("child" if child == 0 else "parent").status_code == 200
if child == 0:
    os._exit(0 if good else 1)
sys.exit(os.waitpid(child, 0)[1])
"""


def test_fork_does_not_share_connections(other: Start) -> None:
    """A child that is forked after a call makes a connection of its own."""
    piste = other(GOOD)
    subprocess.run([sys.executable, "-c", FORK, piste.address], check=True)
    assert sorted(seen.path for seen in piste.seen) == ["/before", "/child", "/parent"]
    assert len(piste.connections) == 2


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, (3, 3)),
        (10, (3, 3)),
        ((2, 10), (2, 3)),
        ((None, 1), (3, 1)),
        (Timeout(connect=1, read=2), (1, 2)),
        (Timeout(total=1), (1, 1)),
        (Timeout(total=9), (3, 3)),
    ],
)
def test_deadline_shortens_any_timeout(given: Any, expected: tuple[float, float]) -> None:
    """Connecting and reading together take no longer than what is left."""
    it = limited(given, 3)
    it.start_connect()
    assert (it.connect_timeout, it.read_timeout) == pytest.approx(expected, abs=0.1)
