"""The connection: TLS to those who are trusted, and to nobody else."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from buttress import Unavailable
from tests.pulse.broker import Broker
from tests.pulse.conftest import MakePulse
from tests.pulse.forwarder import forwarder


@pytest.fixture
def authority(tmp_path: Path) -> tuple[trustme.CA, Path]:
    """Give an authority, and the file with its certificate."""
    authority = trustme.CA()
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    return authority, file


def server_context(authority: trustme.CA, host: str = "localhost") -> ssl.SSLContext:
    """Make what a server for this host speaks TLS with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


def test_messages_travel_in_tls(
    serve: MakePulse, broker: Broker, authority: tuple[trustme.CA, Path]
) -> None:
    """With the authority's file, publishing and consuming work as without TLS."""
    queue = broker.listen()
    with forwarder(broker.url, server_context(authority[0])) as way:
        app = serve(PULSE_URL=way.url, PULSE_CA_FILE=authority[1])
        app.pulse.publish(broker.exchange, "k", "x" * 200_000)
        app.close()
    assert len(broker.body(queue)["payload"]) == 200_000


@pytest.mark.parametrize("fault", ["unknown authority", "another host"])
def test_a_stranger_is_not_trusted(
    serve: MakePulse,
    broker: Broker,
    authority: tuple[trustme.CA, Path],
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    """No password is sent to a server whose certificate does not fit."""
    signer = trustme.CA() if fault == "unknown authority" else authority[0]
    host = "other.example" if fault == "another host" else "localhost"
    with forwarder(broker.url, server_context(signer, host)) as way:
        app = serve(PULSE_URL=way.url, PULSE_CA_FILE=authority[1])
        with pytest.raises(Unavailable):
            app.pulse.publish(broker.exchange, "k", {})
        assert way.count == 0
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text


def test_a_server_without_tls_is_told(
    serve: MakePulse, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """TLS that is asked for is not given up."""
    app = serve(PULSE_URL=broker.url.replace("amqp://", "amqps://"))
    with pytest.raises(Unavailable):
        app.pulse.publish(broker.exchange, "k", {})
    assert "does not take messages" in caplog.text
