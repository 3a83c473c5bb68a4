"""Publishing: confirmed, or an error in time."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from buttress import LifecycleError, Service, Unavailable
from buttress.pulse import PulseRefused
from buttress.web import correlated
from tests.pulse.broker import Broker
from tests.pulse.conftest import MakePulse
from tests.pulse.forwarder import forwarder


def test_a_message_is_persistent_json_in_its_envelope(app: Service, broker: Broker) -> None:
    """What arrives has the payload, an id, and says how it is written."""
    queue = broker.listen("piste.*")
    app.pulse.publish(broker.exchange, "piste.7", {"cm": 30})
    message = broker.get(queue)
    assert b'"payload":{"cm":30}' in message.body
    assert len(message.properties["message_id"]) == 32
    assert (message.content_type, message.content_encoding, message.delivery_mode) == (
        "application/json",
        "utf-8",
        2,
    )


def test_the_exchange_is_made(app: Service, broker: Broker) -> None:
    """A publisher needs nothing prepared: it declares a durable topic exchange."""
    app.pulse.publish(broker.exchange, "piste.7", {})
    broker.channel.exchange_declare(broker.exchange, "topic", durable=True, auto_delete=False)


def test_an_exchange_that_vanished_is_made_again(app: Service, broker: Broker) -> None:
    """A connection that had declared it does not rely on that."""
    app.pulse.publish(broker.exchange, "piste.7", {})
    broker.channel.exchange_delete(broker.exchange)
    app.pulse.publish(broker.exchange, "piste.7", {})
    broker.channel.exchange_declare(broker.exchange, "topic", passive=True)


def test_the_request_id_goes_along(app: Service, broker: Broker) -> None:
    """Whoever handles the message can tell which request caused it."""
    queue = broker.listen()
    with correlated("abc-1"):
        app.pulse.publish(broker.exchange, "piste.7", {})
    assert broker.get(queue).headers == {"X-Request-Id": "abc-1"}


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("", "k", {}), "has no name"),
        (("x", "k" * 256, {}), "routing key is 256 bytes"),
        (("x", "k", object()), "no JSON"),
        (("x", "k", "x" * 200), "PULSE_MAX_MESSAGE_SIZE"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(
    serve: MakePulse, arguments: tuple[Any, ...], match: str
) -> None:
    """No connection is even made."""
    app = serve(PULSE_URL="amqp://127.0.0.1:1", PULSE_MAX_MESSAGE_SIZE=200)
    with pytest.raises(ValueError, match=match):
        app.pulse.publish(*arguments)


def test_what_the_broker_refuses_is_no_outage(app: Service, broker: Broker) -> None:
    """An exchange of another kind is a mistake to mend, which says what is wrong."""
    broker.channel.exchange_declare(broker.exchange, "fanout", durable=True, auto_delete=False)
    with pytest.raises(PulseRefused, match=f"publish to {broker.exchange}: .*PRECONDITION_FAILED"):
        app.pulse.publish(broker.exchange, "piste.7", {})


def test_a_broker_that_is_down_is_503(serve: MakePulse) -> None:
    """The client is told when to come back, and nothing of the broker's address."""
    app = serve(PULSE_URL="amqp://127.0.0.1:1", PROPAGATE_EXCEPTIONS=False)
    app.add_url_rule("/snow", view_func=lambda: app.pulse.publish("e", "k", {}))
    answer = app.test_client().get("/snow")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json is not None
    assert answer.json["detail"] == "The message broker does not answer."


@pytest.mark.parametrize("setting", ["PULSE_CONNECTION_TIMEOUT", "REQUEST_DEADLINE"])
def test_a_broker_that_says_nothing_is_not_waited_for(serve: MakePulse, setting: str) -> None:
    """The shorter of the timeout and the request's deadline holds."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        app = serve(PULSE_URL=f"amqp://127.0.0.1:{silent.getsockname()[1]}", **{setting: 0.3})
        app.add_url_rule("/snow", view_func=lambda: app.pulse.publish("e", "k", {}))
        began = time.monotonic()
        assert app.test_client().get("/snow").status_code == 503
        assert 0.2 < time.monotonic() - began < 2


def test_a_lost_connection_is_made_anew(serve: MakePulse, broker: Broker) -> None:
    """The caller notices nothing, and the message is sent."""
    queue = broker.listen()
    with forwarder(broker.url) as way:
        app = serve(PULSE_URL=way.url)
        app.pulse.publish(broker.exchange, "piste.7", 1)
        way.cut()
        app.pulse.publish(broker.exchange, "piste.7", 2)
        app.close()
    assert [broker.body(queue)["payload"] for _ in range(2)] == [1, 2]
    assert way.count == 2


def test_without_a_confirm_it_is_an_error(serve: MakePulse, broker: Broker) -> None:
    """A message that the broker may have, but has not confirmed, is not called sent."""
    with forwarder(broker.url) as way:
        app = serve(PULSE_URL=way.url, PULSE_CONNECTION_TIMEOUT=0.5)
        app.pulse.publish(broker.exchange, "piste.7", 1)
        way.deaf = True
        with pytest.raises(Unavailable, match="did not confirm"):
            app.pulse.publish(broker.exchange, "piste.7", 2)
        way.deaf = False
        app.pulse.publish(broker.exchange, "piste.7", 3)
        assert app.pulse.check()["published"] == {"confirmed": 2, "failed": 1}
        app.close()


def test_an_outage_is_logged_once(serve: MakePulse, caplog: pytest.LogCaptureFixture) -> None:
    """The log has its beginning, not each message of it."""
    app = serve(PULSE_URL="amqp://127.0.0.1:1")
    for _ in range(3):
        with pytest.raises(Unavailable):
            app.pulse.publish("e", "k", {})
    told = [it for it in caplog.messages if "does not take messages" in it]
    assert len(told) == 1
    assert "127.0.0.1:1" in told[0]


def test_threads_share_few_connections(serve: MakePulse, broker: Broker) -> None:
    """Twelve at once publish over two connections, and nothing is mixed up."""
    queue = broker.listen()
    with forwarder(broker.url) as way:
        app = serve(PULSE_URL=way.url, PULSE_CONNECTIONS=2)
        with ThreadPoolExecutor(12) as threads:
            list(threads.map(lambda n: app.pulse.publish(broker.exchange, "k", n), range(60)))
        app.close()
    assert sorted(broker.body(queue)["payload"] for _ in range(60)) == list(range(60))
    assert way.count <= 2


def test_a_fork_has_connections_of_its_own(serve: MakePulse, broker: Broker) -> None:
    """Parent and child publish after the fork, and neither uses the other's connection."""
    queue = broker.listen()
    with forwarder(broker.url) as way:
        app = serve(PULSE_URL=way.url)
        app.pulse.publish(broker.exchange, "k", "before")
        child = os.fork()
        if child == 0:
            with contextlib.ExitStack() as stack:
                stack.callback(os._exit, 1)
                app.pulse.publish(broker.exchange, "k", "child")
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert way.count == 2
        app.pulse.publish(broker.exchange, "k", "parent")
        app.close()
    assert [broker.body(queue)["payload"] for _ in range(3)] == ["before", "child", "parent"]
    assert way.count == 2


def test_after_the_end_nothing_is_published(app: Service) -> None:
    """The error says that the service has ended."""
    app.close()
    with pytest.raises(LifecycleError, match="closed"):
        app.pulse.publish("e", "k", {})
