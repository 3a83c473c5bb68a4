"""Settings of the queues."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from buttress.config import Key, Secret, Section


class QueuesSettings(Section):
    """Say which broker carries the messages, and how they are consumed."""

    url: Annotated[
        Secret | None,
        Key(min_length=0),
        Meta(
            description="The broker: `sql:` (the service's own database), `memory:`, "
            "`sqs://region`, `amqp://…` or `amqps://…`. By default `sqs:` where one of the SQS_ "
            "keys is set, else `sql:` where the service has a database, else `memory:`."
        ),
    ] = None
    names: Annotated[
        tuple[str, ...],
        Meta(description="Queues that are made when the service starts, beside those it consumes."),
    ] = ()
    consume: Annotated[
        bool | None,
        Meta(
            description="Whether this process runs the consumers; by default where Buttress "
            "serves or `buttress worker` runs, not in a foreign container."
        ),
    ] = None
    visibility: Annotated[
        float,
        Meta(
            description="Seconds for which a message is hidden from others; extended while its "
            "handler runs.",
            ge=1,
            le=43200,
        ),
    ] = 30.0
    max_deliveries: Annotated[
        int,
        Meta(description="Deliveries after which a message goes to the dead letters.", ge=1),
    ] = 5
    retry_delay: Annotated[
        float,
        Meta(
            description="Seconds until a message that failed comes back; doubled each time, up "
            "to ten minutes.",
            ge=0,
            le=600,
        ),
    ] = 1.0
    wait: Annotated[
        float,
        Meta(description="Seconds that one look into an empty queue lasts.", ge=0, le=20),
    ] = 5.0
    max_bytes: Annotated[
        int, Meta(description="Most bytes of one message with its attributes.", ge=1)
    ] = 262_144
    remember: Annotated[
        float,
        Meta(description="Days for which `once=True` remembers what was handled.", gt=0, le=3650),
    ] = 14.0
    sqs_region_name: Annotated[
        str | None, Key(name="SQS_REGION_NAME"), Meta(description="Amazon's region of the queues.")
    ] = None
    sqs_access_key_id: Annotated[
        Secret | None,
        Key(name="SQS_ACCESS_KEY_ID", min_length=0),
        Meta(description="Access key; by default what boto3 finds."),
    ] = None
    sqs_secret_access_key: Annotated[
        Secret | None,
        Key(name="SQS_SECRET_ACCESS_KEY", min_length=0),
        Meta(description="Secret of the access key."),
    ] = None
    sqs_endpoint_url: Annotated[
        str | None,
        Key(name="SQS_ENDPOINT_URL"),
        Meta(description="Another server than Amazon's that speaks SQS."),
    ] = None
    sqs_create: Annotated[
        bool,
        Key(name="SQS_CREATE"),
        Meta(description="Make queues at SQS that are consumed and not there."),
    ] = False
    connect_timeout: Annotated[
        float,
        Meta(description="Seconds that connecting to SQS or RabbitMQ may take.", gt=0, le=300),
    ] = 5.0
    ca_file: Annotated[
        Path | None,
        Meta(
            description="File with the certificates of the authorities that RabbitMQ is trusted by "
            "(PEM), instead of the system's."
        ),
    ] = None

    @property
    def names_sqs(self) -> bool:
        """Tell whether one of the keys of SQS is set."""
        keys = (self.sqs_region_name, self.sqs_access_key_id, self.sqs_endpoint_url)
        return any(key is not None for key in keys)
