"""Settings of the extension ``peers``: calls to other services and to the world outside."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network
from typing import Annotated

from msgspec import Meta, field

from buttress.config import Section
from buttress.peers.address import base_url, variable_part

_Seconds = Annotated[float, Meta(gt=0, le=3600)]


class PeersSettings(Section):
    """Say where peers are, how long calls may take, and which addresses may be called."""

    addresses: Annotated[
        dict[str, str],
        Meta(
            description='Addresses of peers, such as `{"piste": "https://piste.example:8443"}`; '
            "they win over the `<SERVICE>_SERVICE_PORT` variables."
        ),
    ] = field(default_factory=dict)
    connect_timeout: Annotated[
        _Seconds, Meta(description="Seconds that a connection may take to be made.")
    ] = 2.0
    read_timeout: Annotated[
        _Seconds, Meta(description="Seconds that the other side may be silent.")
    ] = 10.0
    retries: Annotated[
        int, Meta(description="How often one call is tried again at most.", ge=0, le=10)
    ] = 2
    retry_budget: Annotated[
        float,
        Meta(
            description="Share of the calls to one peer within 10 seconds that may be retries; "
            "3 are always allowed.",
            ge=0,
            le=1,
        ),
    ] = 0.2
    pool_size: Annotated[
        int, Meta(description="Connections to one host that are kept open.", ge=1, le=10_000)
    ] = 32
    breaker_failures: Annotated[
        int,
        Meta(description="Failures in a row after which a peer is left alone.", ge=1, le=10_000),
    ] = 5
    breaker_seconds: Annotated[
        _Seconds, Meta(description="Seconds that a failing peer is left alone before a probe.")
    ] = 10.0
    ca_file: Annotated[
        str | None,
        Meta(
            description="File of the certificates that vouch for peers (PEM), instead of the "
            "public ones; `app.external` does not use it."
        ),
    ] = None
    external_private: Annotated[
        bool,
        Meta(
            description="Let `app.external` call loopback and private addresses. Switch it off "
            "where users say what is called."
        ),
    ] = True
    allowed_addresses: Annotated[
        list[str],
        Meta(
            description="Networks that `app.external` may call although it would refuse them, such "
            "as `169.254.170.2/32`."
        ),
    ] = field(default_factory=list)

    def problems(self) -> Iterable[str]:
        """Name the addresses and the networks that are none."""
        names: dict[str, str] = {}
        for name, address in self.addresses.items():
            try:
                base_url(address)
                first = names.setdefault(variable_part(name), name)
            except ValueError as error:
                yield f"PEERS_ADDRESSES: {name!r}: {error}"
            else:
                if first != name:
                    yield f"PEERS_ADDRESSES: {first!r} and {name!r} are the same peer."
        for network in self.allowed_addresses:
            try:
                ip_network(network)
            except ValueError as error:
                yield f"PEERS_ALLOWED_ADDRESSES: {error}; write it as '169.254.170.2/32'."
