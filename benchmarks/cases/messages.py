"""Messages per second: a consumer of ``app.queues`` beside a loop that takes one after the other.

The messages come in portions of `PORTION`, sent in the same way for both; the clock runs from the
first portion to the last message. (moto looks through a whole queue for each message, so a long one
would measure nothing else.) The loops are what somebody writes who reads the first page of the
client's manual.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import boto3
import kombu
import psycopg

from benchmarks.cases.service import service
from buttress import Service

SECRETS = {"aws_access_key_id": "AKIA-of-moto", "aws_secret_access_key": "s3cr3t-of-moto"}
REGION = "eu-west-1"
BODY = '{"piste": "verte", "cm": 30}'
#: Messages that are sent before the next are, once these are handled.
PORTION = 50
#: Seconds that one portion may take.
PATIENCE = 60.0


class Rates(NamedTuple):
    """Messages per second; ``plain`` is ``None`` where there is no client to compare with."""

    ours: float
    plain: float | None

    @property
    def ratio(self) -> float | None:
        """Divide our rate by the plain loop's."""
        return None if self.plain is None else self.ours / self.plain


def memory_rates(count: int) -> Rates:
    """Measure the broker in memory."""
    return Rates(_consumed("memory:", count), None)


def sql_rates(count: int, url: str | None = None) -> Rates:
    """Measure the broker in a database: SQLite, or PostgreSQL beside a loop of psycopg."""
    ours = _consumed("sql:", count, **({} if url is None else {"DB_URL": url}))
    return Rates(ours, None if url is None else _psycopg_loop(url, count))


def sqs_rates(endpoint: str, count: int) -> Rates:
    """Measure SQS beside a loop of boto3 that receives and deletes one message at a time."""
    settings = {
        "SQS_REGION_NAME": REGION,
        "SQS_ACCESS_KEY_ID": SECRETS["aws_access_key_id"],
        "SQS_SECRET_ACCESS_KEY": SECRETS["aws_secret_access_key"],
        "SQS_ENDPOINT_URL": endpoint,
        "SQS_CREATE": True,
    }
    ours = _consumed(f"sqs://{REGION}", count, **settings)
    return Rates(ours, _boto3_loop(endpoint, count))


def amqp_rates(url: str, count: int) -> Rates:
    """Measure RabbitMQ beside a loop of kombu that gets and acknowledges one at a time."""
    return Rates(_consumed(url, count), _kombu_loop(url, count))


def _consumed(broker: str, count: int, **settings: Any) -> float:
    queue = f"bench-{uuid.uuid4().hex[:8]}"
    extensions = ["web", "health", "db", "queues"]
    with service(extensions, QUEUES_URL=broker, DB_MIGRATE="upgrade", **settings) as app:
        return _rate(app, queue, count)


def _rate(app: Service, queue: str, count: int) -> float:
    handled = threading.Semaphore(0)
    app.queues.consumer(queue)(lambda _: handled.release())
    app.db.migrations.upgrade()
    app.queues.broker.declare(queue)
    app.start()

    def portion() -> None:
        messages = [app.queues.outgoing(BODY, None, None, None, None) for _ in range(PORTION)]
        app.queues.broker.send(queue, messages)
        for _ in range(PORTION):
            if not handled.acquire(timeout=PATIENCE):
                raise TimeoutError(f"A portion is not handled within {PATIENCE:g} s.")

    return _timed(count, portion)


def _timed(count: int, portion: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(count // PORTION):
        portion()
    return count / (time.perf_counter() - began)


def _boto3_loop(endpoint: str, count: int) -> float:
    client = boto3.client("sqs", region_name=REGION, endpoint_url=endpoint, **SECRETS)
    name = f"bench-{uuid.uuid4().hex[:8]}"
    url = client.create_queue(QueueName=name)["QueueUrl"]
    entries = [{"Id": str(number), "MessageBody": BODY} for number in range(10)]

    def portion() -> None:
        for _ in range(0, PORTION, 10):
            client.send_message_batch(QueueUrl=url, Entries=entries)
        for _ in range(PORTION):
            message = client.receive_message(QueueUrl=url)["Messages"][0]
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    rate = _timed(count, portion)
    client.delete_queue(QueueUrl=url)
    return rate


def _kombu_loop(url: str, count: int) -> float:
    with kombu.Connection(url) as connection:
        queue = connection.SimpleQueue(f"bench-{uuid.uuid4().hex[:8]}")

        def portion() -> None:
            for _ in range(PORTION):
                queue.put(BODY)
            for _ in range(PORTION):
                # A get without waiting is one question and one answer, as in the loop of boto3.
                message = None
                while message is None:
                    message = queue.queue.get()
                message.ack()

        rate = _timed(count, portion)
        queue.queue.delete()
        return rate


def _psycopg_loop(url: str, count: int) -> float:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bench_message")
        connection.execute("CREATE TABLE bench_message (id SERIAL PRIMARY KEY, body TEXT)")

        def take() -> None:
            with connection.transaction():
                row = connection.execute(
                    "SELECT id FROM bench_message ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
                ).fetchone()
                connection.execute("DELETE FROM bench_message WHERE id = %s", row)

        def portion() -> None:
            with connection.cursor() as cursor:
                rows = [[BODY]] * PORTION
                cursor.executemany("INSERT INTO bench_message (body) VALUES (%s)", rows)
            for _ in range(PORTION):
                take()

        rate = _timed(count, portion)
        connection.execute("DROP TABLE bench_message")
        return rate
