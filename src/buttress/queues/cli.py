"""``buttress queue``: what is in the queues, and what became of the dead letters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import click

from buttress.cli.group import Mistake
from buttress.cli.options import app_options, the_app
from buttress.cli.table import print_table
from buttress.errors import MessageError, Unavailable
from buttress.queues.broker import Broker
from buttress.queues.extension import QueuesExtension
from buttress.queues.message import Message
from buttress.queues.queues import Queues

dead_option = click.option("--dead", is_flag=True, help="The dead letters.")
limit_option = click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=10,
    show_default=True,
    help="At most so many.",
)


@click.group(epilog="\b\nExample:\n  buttress queue peek --dead reports")
def queue() -> None:
    """Look at the queues, and at what could not be handled."""


@queue.command()
@app_options
def ls() -> None:
    """List the queues, with what they have."""
    with queues() as found:
        rows = [_row(found.broker, name) for name in found.names()]
    head = ("QUEUE", "READY", "DELAYED", "IN FLIGHT", "DEAD", "OLDEST")
    print_table(head, rows)


@queue.command()
@app_options
@dead_option
@limit_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
@click.argument("name")
def peek(name: str, dead: bool, limit: int, as_json: bool) -> None:
    """Show messages of the queue NAME without taking them."""
    with queues() as found:
        messages = found.broker.peek(name, limit=limit, dead=dead)
    for message in messages:
        click.echo(json.dumps(_shown(message)) if as_json else _line(message))


@queue.command()
@app_options
@limit_option
@click.argument("name")
def replay(name: str, limit: int) -> None:
    """Put dead letters back into the queue NAME, as new messages."""
    with queues() as found:
        number = found.broker.replay(name, limit=limit)
    click.echo(f"{number} put back into {name}")


@queue.command()
@app_options
@dead_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.argument("name")
def purge(name: str, dead: bool, yes: bool) -> None:
    """Delete all messages of the queue NAME, or all its dead letters."""
    what = "dead letters" if dead else "messages"
    if not yes:
        click.confirm(f"Delete all {what} of {name}?", abort=True)
    with queues() as found:
        number = found.broker.purge(name, dead=dead)
    click.echo(f"{number} {what} of {name} deleted")


@contextmanager
def queues() -> Iterator[Queues]:
    """Give the queues of the application that the options name; it is not started."""
    with the_app() as app:
        found = app.use(QueuesExtension)
        try:
            yield found
        except MessageError as error:
            raise Mistake(str(error)) from error
        except Unavailable as error:
            raise click.ClickException(
                f"The broker does not answer: {error.description}"
            ) from error


def _row(broker: Broker, name: str) -> tuple[str, ...]:
    try:
        depth = broker.depth(name)
    except MessageError:
        return (name, "-", "-", "-", "-", "not made yet")
    age = "-" if depth.age is None else f"{depth.age:.0f} s"
    return (name, *(str(count) for count in depth[:4]), age)


def _line(message: Message) -> str:
    sent = message.sent_at
    when = sent.isoformat(" ", "seconds") if sent else "-"
    reason = f"  ({message.reason})" if message.reason else ""
    return f"{message.id}  {when}  {message.body}{reason}"


def _shown(message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "body": message.body,
        "attributes": dict(message.attributes),
        "sent": message.sent,
        "count": message.count,
        "request_id": message.request_id,
        "reason": message.reason,
    }
