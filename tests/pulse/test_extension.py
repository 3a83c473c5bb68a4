"""``app.pulse`` in a service: who consumes when, and what the heartbeat says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from buttress import ConfigError, ExtensionError, LifecycleError, Service, Unavailable, Unhealthy
from tests.pulse.broker import Broker, until
from tests.pulse.conftest import EXTENSIONS, MakePulse
from tests.services import Make

MARKED = """
import buttress

@buttress.pulse_consumer({exchange!r}, "piste.#", queue={queue!r}, declare_exchange=True{more})
def ingest(body, message):
    message.seen = ingest.seen.append(body["payload"])

ingest.seen = []
"""
NOWHERE = "amqp://127.0.0.1:1"

Package = Callable[[Mapping[str, str]], Path]


def marked(package: Package, broker: Broker, more: str = "") -> None:
    """Write a package whose module marks a consumer."""
    source = MARKED.format(exchange=broker.exchange, queue=broker.name, more=more)
    package({"resort/__init__.py": "", "resort/snow.py": source})
    broker.queue()


def ignore(body: Any, message: Any) -> None:
    """Be a handler that does nothing."""


def test_a_marked_function_consumes(serve: MakePulse, package: Package, broker: Broker) -> None:
    """Discovery finds it, and the start takes it up."""
    marked(package, broker)
    app = serve("resort")
    app.start()
    until(lambda: app.pulse.check()["consumers"][broker.queue()]["running"])
    app.pulse.publish(broker.exchange, "piste.7", 30)
    from resort import snow  # type: ignore[import-not-found]  # it was written for this test

    until(lambda: snow.ingest.seen == [30])


def test_a_mark_with_an_unknown_option_names_it(
    serve: MakePulse, package: Package, broker: Broker
) -> None:
    """The start says which function has it."""
    marked(package, broker, ", colour='white'")
    with pytest.raises(ExtensionError, match=r"resort\.snow\.ingest.*colour"):
        serve("resort").start()


def test_a_mark_without_the_extension_stops_the_boot(
    make: Make, package: Package, broker: Broker
) -> None:
    """The error names what to add."""
    marked(package, broker)
    with pytest.raises(ExtensionError.__mro__[1], match="'pulse': add it"):
        make("resort", extensions=["log", "web"])


@pytest.mark.parametrize(("consume", "expected"), [(None, 0), (True, 1), (False, 0)])
def test_in_a_foreign_container_consuming_is_asked_for(
    serve: MakePulse, broker: Broker, consume: bool | None, expected: int
) -> None:
    """Nobody else's worker consumes by surprise."""
    app = serve(PULSE_CONSUME=consume)
    app.pulse.consumer(broker.exchange, queue=broker.name)(ignore)
    broker.queue()
    app.lifecycle.start(embedded=True)
    assert len(app.pulse._consumers) == expected


def test_consuming_can_be_left_to_others(serve: MakePulse, broker: Broker) -> None:
    """With PULSE_CONSUME=false a worker only publishes."""
    app = serve(PULSE_CONSUME=False)
    app.pulse.consumer(broker.exchange, queue=broker.name)(ignore)
    app.start()
    assert app.pulse.check()["consumers"] == {}


def test_a_late_consumer_is_refused(app: Service) -> None:
    """Once the service serves, the sentence says what to do."""
    app.start()
    with pytest.raises(LifecycleError, match=r"pulse\.consumer\(\) comes too late"):
        app.pulse.consumer("exchange/resort/snow")(ignore)


def test_in_development_a_late_consumer_begins_at_once(serve: MakePulse, broker: Broker) -> None:
    """A module that was mended while the service serves has its consumer."""
    app = serve(MODE="development")
    app.start()
    app.pulse.consumer(broker.exchange, queue=broker.name, declare_exchange=True)(ignore)
    until(lambda: app.pulse.check()["consumers"][broker.queue()]["running"])


def test_two_consumers_need_two_queues(app: Service) -> None:
    """Two functions would else share the messages by chance."""
    app.pulse.consumer("exchange/resort/snow")(ignore)
    with pytest.raises(ExtensionError, match="Two consumers have the queue queue/buttress/ignore"):
        app.pulse.consumer("exchange/resort/ice")(ignore)


def test_the_heartbeat_tells_how_it_goes(app: Service, broker: Broker) -> None:
    """Without consumers it is what was published."""
    app.start()
    app.pulse.publish(broker.exchange, "k", {})
    answer = app.test_client().get("/__heartbeat__").json
    assert answer is not None
    assert answer["checks"]["pulse"]["details"] == {
        "published": {"confirmed": 1, "failed": 0},
        "consumers": {},
    }


def test_a_broker_that_is_down_is_unhealthy(serve: MakePulse) -> None:
    """The heartbeat says which, and no password."""
    app = serve(PULSE_URL="amqp://resort:deep-snow@127.0.0.1:1")
    with pytest.raises(Unhealthy, match=r"RabbitMQ at 127\.0\.0\.1:1 does not answer") as caught:
        app.pulse.check()
    assert "deep-snow" not in f"{caught.value} {caught.value.details}"


def test_a_consumer_that_cannot_consume_is_unhealthy(app: Service, broker: Broker) -> None:
    """Its exchange is not there, and the heartbeat names its queue."""
    app.pulse.consumer(broker.exchange, queue=broker.name)(ignore)
    queue = broker.queue()
    app.start()
    until(lambda: app.pulse._consumers[0].failure)
    with pytest.raises(Unhealthy, match=f"Nothing is consumed of {queue}"):
        app.pulse.check()


def test_a_consumer_waits_for_its_exchange(app: Service, broker: Broker) -> None:
    """Who publishes may start later."""
    app.pulse.consumer(broker.exchange, queue=broker.name)(ignore)
    broker.queue()
    app.start()
    until(lambda: app.pulse._consumers[0].failure)
    broker.listen()
    until(lambda: app.pulse._consumers[0].details()["running"])


def test_ping_connects(app: Service, serve: MakePulse) -> None:
    """It returns where the broker answers, and raises where it does not."""
    app.pulse.ping()
    with pytest.raises(Unavailable):
        serve("other", PULSE_URL=NOWHERE).pulse.ping()


def test_a_wrong_password_is_told(
    serve: MakePulse, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the broker's reason; whoever asks over HTTP has not."""
    port = broker.url.rpartition(":")[2]
    app = serve(PULSE_URL=f"amqp://buttress:not-deep-enough@127.0.0.1:{port}")
    with pytest.raises(Unavailable):
        app.pulse.publish(broker.exchange, "k", {})
    assert "ACCESS_REFUSED" in caplog.text
    assert "not-deep-enough" not in caplog.text


def test_connection_is_a_way_out(app: Service) -> None:
    """What is not offered here is done with kombu itself."""
    with app.pulse.connection as connection:
        connection.connect()
        assert connection.connected


def test_wrong_settings_stop_the_boot(make: Make) -> None:
    """The sentence is the setting's own."""
    with pytest.raises(ConfigError, match="PULSE_URL must begin with amqp://"):
        make(extensions=EXTENSIONS, PULSE_URL="redis://localhost")


def test_nothing_is_contacted_before_the_start(make: Make) -> None:
    """A service boots, starts and ends without its broker."""
    app = make(extensions=EXTENSIONS, PULSE_URL=NOWHERE)
    app.pulse.consumer("exchange/resort/snow")(ignore)
    app.start()
    app.close()
