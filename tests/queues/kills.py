"""A program that sends, kills consumers again and again, and counts what became of the messages.

A process of its own sends, and tries again what was not confirmed. The program prints a JSON
object: how many messages were confirmed, lost, had their effects twice, were delivered again, and
the longest time until a consumer worked again after a kill, in seconds.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from buttress import Service, create_app
from buttress.errors import Unavailable, UnknownQueue
from buttress.queues import Message
from buttress.serving import work

VISIBILITY = 2.0
#: Where the sender notes what was confirmed.
SENT = Path("sent.txt")
#: Threads that send.
SENDERS = 4
#: Seconds within which everything must have been handled after the last kill.
PATIENCE = 90.0


def main() -> None:
    """Send, kill, count."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--db", required=True)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--queue", default="rides")
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--pause", type=float, default=0.3, help="seconds between two kills")
    parser.add_argument("--set", dest="pairs", action="append", default=[])
    arguments = parser.parse_args()
    app = application(arguments)
    app.db.migrations.upgrade()
    for table in ("ride", "delivery"):
        app.db.run(f"CREATE TABLE {table} (message VARCHAR(64), at DOUBLE PRECISION)")
    sender = fork(lambda: send(app, arguments.queue, arguments.messages))
    resumed = killing(app, arguments.kills, arguments.pause)
    if os.waitpid(sender, 0)[1] != 0:
        sys.exit("the sender failed")
    sent = SENT.read_text(encoding="utf-8").split()
    until_all(app, set(sent))
    rides = Counter(app.db.all("SELECT message FROM ride"))
    deliveries = Counter(app.db.all("SELECT message FROM delivery"))
    result = {
        "sent": len(sent),
        "lost": len(set(sent) - rides.keys()),
        "doubled": sum(count > 1 for count in rides.values()),
        "again": sum(count - 1 for count in deliveries.values()),
        "resumed": round(resumed, 2),
    }
    print(json.dumps(result))  # noqa: T201  # what the test reads


def application(arguments: argparse.Namespace) -> Service:
    """Make the service; its consumer notes deliveries at once, and rides in its transaction."""
    pairs = dict(pair.split("=", 1) for pair in arguments.pairs)
    Path("rides").mkdir(exist_ok=True)
    Path("rides/__init__.py").touch()
    sys.path.insert(0, str(Path.cwd()))
    app = create_app(
        "rides",
        extensions=["log", "db", "queues"],
        config={
            "LOG_LEVEL": "ERROR",
            "DB_URL": arguments.db,
            "DB_MIGRATE": "off",
            "QUEUES_URL": arguments.broker,
            "QUEUES_VISIBILITY": VISIBILITY,
            "QUEUES_MAX_DELIVERIES": 1000,
            "QUEUES_WAIT": 1.0,
            **pairs,
        },
    )

    @app.queues.consumer(arguments.queue, once=True)
    def ride(message: Message) -> None:
        now = {"id": message.id, "at": time.time()}
        if app.db.engine.name != "sqlite":  # there, the transaction of this message is the writer
            app.db.run("INSERT INTO delivery VALUES (:id, :at)", now)
        import sqlalchemy as sa

        app.db.session.execute(sa.text("INSERT INTO ride VALUES (:id, :at)"), now)
        time.sleep(0.002)

    return app


def send(app: Service, queue: str, number: int) -> int:
    """Send so many messages from several threads, each until it is confirmed."""
    app.queues.broker.declare(queue)
    lock = threading.Lock()

    def work() -> None:
        for _ in range(number // SENDERS):
            identity = confirmed(app, queue)
            with lock, SENT.open("a", encoding="utf-8") as file:
                file.write(f"{identity}\n")

    threads = [threading.Thread(target=work) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 0


def confirmed(app: Service, queue: str) -> str:
    """Send a message, again while the broker is down."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return app.queues.send(queue, "ride").id
        except (Unavailable, UnknownQueue):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def killing(app: Service, kills: int, pause: float) -> float:
    """Run two consumers, and kill one of them so many times; they go on in the background."""
    children = [fork(lambda: work(app)) for _ in range(2)]
    atexit.register(end, children)
    longest = 0.0
    for _ in range(kills):
        time.sleep(pause * random.uniform(0.5, 1.5))
        place = random.randrange(len(children))
        os.kill(children[place], signal.SIGKILL)
        os.waitpid(children[place], 0)
        children[place] = fork(lambda: work(app))
        longest = max(longest, until_progress(app))
    return longest


def fork(work: Callable[[], int]) -> int:
    """Do something in a process of its own."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = work()
        except Exception:  # noqa: BLE001  # told, and the process ends with 1
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def end(children: list[int]) -> None:
    """End the consumers."""
    for child in children:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)


def handled(app: Service) -> set[str]:
    """Give the messages that had their effect."""
    return set(app.db.all("SELECT DISTINCT message FROM ride"))


def until_progress(app: Service) -> float:
    """Measure how long nothing is handled though there is something."""
    count = "SELECT count(*) FROM ride"
    before, began = app.db.one(count), time.monotonic()
    while before == (now := app.db.one(count)) and time.monotonic() - began < PATIENCE:
        if not SENT.exists() or now >= len(SENT.read_bytes().split()):
            return 0.0
        time.sleep(0.02)
    return time.monotonic() - began


def until_all(app: Service, sent: set[str]) -> None:
    """Wait until everything is handled, for as long as it goes on."""
    count = "SELECT count(*) FROM ride"
    last, since = app.db.one(count), time.monotonic()
    while not sent <= handled(app) and time.monotonic() - since < PATIENCE:
        time.sleep(0.5)
        if (now := app.db.one(count)) != last:
            last, since = now, time.monotonic()


if __name__ == "__main__":
    main()
