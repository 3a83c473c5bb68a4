"""What is sent inside a session's transaction shares its fate."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from buttress import Service, Unavailable
from buttress.errors import MessageError, UnknownQueue
from buttress.queues import MemoryBroker, Outgoing, Receipt
from tests.queues.conftest import EXTENSIONS, eventually
from tests.services import Make

INSERT = sa.text("INSERT INTO lift VALUES (1)")


@pytest.fixture
def app(make: Make, url: str) -> Service:
    """Give a service with a table and a queue in its database."""
    return prepared(make(extensions=EXTENSIONS, DB_URL=url))


def prepared(app: Service) -> Service:
    """Make the tables and the queue."""
    app.db.migrations.upgrade()
    app.db.run("CREATE TABLE lift (id INTEGER)")
    app.queues.broker.declare("snow")
    return app


def waiting(app: Service) -> list[str]:
    """Give the bodies of what is in the queue."""
    return [it.body for it in app.queues.broker.peek("snow", limit=99, dead=False)]


def test_without_a_session(app: Service) -> None:
    """Outside of a transaction a message is sent at once."""
    with app.app_context():
        assert app.queues.send("snow", "x").deferred is False
        assert waiting(app) == ["x"]


def test_with_the_commit(app: Service) -> None:
    """In a transaction it is sent by the commit, in the order of sending."""
    with app.app_context():
        app.db.session.execute(INSERT)
        receipts = [app.queues.send("snow", body) for body in ("x", "y")]
        assert [it.deferred for it in receipts] == [True, True]
        assert waiting(app) == []
        app.db.session.commit()
        assert waiting(app) == ["x", "y"]
        app.db.session.commit()
    assert waiting(app) == ["x", "y"]


def test_not_with_a_rollback(app: Service) -> None:
    """What was sent in a transaction that is undone is not sent, also by a later commit."""
    with app.app_context():
        app.db.session.execute(INSERT)
        app.queues.send("snow", "x")
        app.db.session.rollback()
        app.db.session.execute(INSERT)
        app.queues.send("snow", "y")
        app.db.session.commit()
    assert waiting(app) == ["y"]


def test_not_without_a_commit(app: Service, caplog: pytest.LogCaptureFixture) -> None:
    """Where the changes of a context are lost its messages are too, and the log says so."""
    with app.app_context():
        app.db.session.execute(INSERT)
        app.queues.send("snow", "x")
    assert waiting(app) == []
    assert "1 messages are not sent" in caplog.text


@pytest.mark.parametrize(
    "statement", [INSERT, sa.text("/* one more */ INSERT INTO lift VALUES (2)")]
)
def test_not_without_a_commit_by_a_connection(app: Service, statement: sa.TextClause) -> None:
    """What the session's own connection has changed counts as much."""
    with app.app_context():
        app.db.session.connection().execute(statement)
        app.queues.send("snow", "x")
    assert waiting(app) == []


def test_after_reading_in_a_savepoint(app: Service) -> None:
    """Savepoints and common table expressions change nothing by themselves."""
    with app.app_context():
        with app.db.session.begin_nested():
            app.db.session.execute(sa.text("WITH x AS (SELECT 1 AS id) SELECT id FROM x"))
        app.queues.send("snow", "x")
    assert waiting(app) == ["x"]


def test_after_reading_only(app: Service) -> None:
    """Where the session only read it is sent at the end of the context."""
    with app.app_context():
        app.db.session.execute(sa.text("SELECT count(*) FROM lift"))
        app.queues.send("snow", "x")
        assert waiting(app) == []
    assert waiting(app) == ["x"]


def test_not_after_an_error(app: Service) -> None:
    """A context that ends with an error sends nothing of its transaction."""

    def work() -> None:
        with app.app_context():
            app.db.session.execute(sa.text("SELECT count(*) FROM lift"))
            app.queues.send("snow", "x")
            raise RuntimeError("no snow")

    with pytest.raises(RuntimeError):
        work()
    assert waiting(app) == []


def test_savepoints(app: Service) -> None:
    """What was sent in a savepoint that is undone is not sent; the rest is."""
    with app.app_context():
        session = app.db.session
        session.execute(INSERT)
        app.queues.send("snow", "outer")
        with session.begin_nested():
            app.queues.send("snow", "kept")
        undone = session.begin_nested()
        app.queues.send("snow", "undone")
        with session.begin_nested():
            app.queues.send("snow", "undone too")
        undone.rollback()
        session.commit()
    assert waiting(app) == ["outer", "kept"]


def test_another_broker(make: Make) -> None:
    """With another broker what is committed is relayed to it."""
    app = make(extensions=EXTENSIONS, QUEUES_URL="memory:")
    found: list[str] = []
    app.queues.consumer("snow")(lambda message: found.append(message.body))
    app.start()
    assert isinstance(app.queues.broker, MemoryBroker)
    app.db.run("CREATE TABLE lift (id INTEGER)")
    with app.app_context():
        app.db.session.execute(INSERT)
        app.queues.send("snow", "x", attributes={"resort": "Arosa"})
        assert found == []
        app.db.session.commit()
    assert eventually(lambda: found == ["x"])
    assert eventually(lambda: app.db.one("SELECT count(*) FROM buttress_message") == 0)


def test_an_id_against_duplicates_goes_along(make: Make) -> None:
    """A duplicate is known by the broker, whether it is sent in a transaction or not."""
    app = prepared(make(extensions=EXTENSIONS, QUEUES_URL="memory:"))
    with app.app_context():
        app.queues.send("snow", "direct", dedup_id="a")
        app.db.session.execute(INSERT)
        for dedup_id in "abb":
            app.queues.send("snow", dedup_id, dedup_id=dedup_id)
        app.db.session.commit()
    assert waiting(app) == ["direct", "b"]


def test_a_process_without_a_loop(make: Make) -> None:
    """A process that runs no loop relays by itself, right after the commit."""
    app = make(extensions=EXTENSIONS, QUEUES_URL="memory:")
    prepared(app)
    with app.app_context():
        app.db.session.execute(INSERT)
        app.queues.send("snow", "x")
        app.db.session.commit()
        assert waiting(app) == ["x"]


def test_what_could_not_be_relayed(make: Make) -> None:
    """What the broker did not take at the commit is relayed later, and nothing is lost."""
    app = make(extensions=EXTENSIONS, QUEUES_URL="memory:")
    app.db.migrations.upgrade()
    app.db.run("CREATE TABLE lift (id INTEGER)")
    with app.app_context():
        app.db.session.execute(sa.text("SELECT count(*) FROM lift"))
        app.queues.send("snow", "read")
    with app.app_context():
        app.db.session.execute(INSERT)
        app.queues.send("snow", "written")
        app.db.session.commit()
    found: list[str] = []
    app.queues.consumer("snow")(lambda message: found.append(message.body))
    app.start()
    assert eventually(lambda: sorted(found) == ["read", "written"])


def test_an_unknown_queue(app: Service) -> None:
    """A queue that is not there is told when something is sent to it, not at the commit."""
    with app.app_context():
        app.db.session.execute(INSERT)
        with pytest.raises(UnknownQueue, match="snwo"):
            app.queues.send("snwo", "x")


def test_once(app: Service) -> None:
    """With ``once`` a message that comes twice has its effects once."""
    from buttress.queues.handled import Handled

    handled = Handled(app.db, 14.0)
    app.queues.send("snow", "x")
    message = app.queues.broker.receive("snow", limit=1, wait=1, visibility=5)[0]

    def ride() -> None:
        app.db.session.execute(INSERT)

    for _ in range(2):
        with app.app_context():
            handled.once(message, ride)
    assert app.db.one("SELECT count(*) FROM lift") == 1


def test_once_and_failure(app: Service) -> None:
    """A handler that fails or leaves its message has no effects; the message may come again."""
    from buttress.queues.handled import Handled

    handled = Handled(app.db, 14.0)
    app.queues.send("snow", "x")
    message = app.queues.broker.receive("snow", limit=1, wait=1, visibility=5)[0]

    def fail() -> None:
        app.db.session.execute(INSERT)
        raise RuntimeError("no snow")

    def leave() -> bool:
        app.db.session.execute(INSERT)
        return False

    with pytest.raises(RuntimeError), app.app_context():
        handled.once(message, fail)
    with app.app_context():
        assert handled.once(message, leave) is False
    assert app.db.one("SELECT count(*) FROM lift") == 0
    with app.app_context():
        handled.once(message, lambda: app.db.session.execute(INSERT))
    assert app.db.one("SELECT count(*) FROM lift") == 1


def test_a_session_that_is_closed_and_used_again(app: Service) -> None:
    """What was sent before a close without a commit is not sent by a later commit."""
    with app.app_context():
        app.db.session.execute(INSERT)
        app.queues.send("snow", "x")
        app.db.session.close()
        app.db.session.execute(INSERT)
        app.db.session.commit()
    assert waiting(app) == []


def test_once_and_a_rollback_of_its_own(app: Service) -> None:
    """A handler that ends the transaction of its message has failed, and has no effects."""
    from buttress.queues.handled import Handled

    app.queues.send("snow", "x")
    message = app.queues.broker.receive("snow", limit=1, wait=1, visibility=5)[0]

    def roll_back() -> None:
        app.db.session.rollback()
        app.db.session.execute(INSERT)

    with app.app_context(), pytest.raises(RuntimeError, match="neither commits nor rolls back"):
        Handled(app.db, 14.0).once(message, roll_back)
    assert app.db.one("SELECT count(*) FROM lift") == 0


class Moody(MemoryBroker):
    """A broker that is down, or refuses a body, when it is told to."""

    down = False

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def declare(self, queue: str) -> None:
        """Fail, or make a queue."""
        self.asked.append(queue)
        if self.down:
            raise Unavailable("The broker is away.")
        super().declare(queue)

    def send(self, queue: str, messages: Sequence[Outgoing]) -> list[Receipt]:
        """Refuse, or send."""
        if self.down:
            raise Unavailable("The broker is away.")
        if any(message.body == "bad" for message in messages):
            raise MessageError("no such snow")
        return super().send(queue, messages)


def test_an_outage_hides_nothing(make: Make) -> None:
    """What could not be relayed while the broker was down is relayed soon after."""
    app = make(extensions=EXTENSIONS, QUEUES_URL="memory:")
    broker = Moody()
    app.queues.__dict__["broker"] = broker
    prepared(app)
    broker.down = True
    with app.app_context():
        app.db.session.execute(INSERT)
        app.queues.send("snow", "x")
        app.db.session.commit()
    broker.down = False
    time.sleep(1.1)
    assert app.queues.outbox is not None
    app.queues.outbox.relay()
    assert waiting(app) == ["x"]


def test_one_that_is_refused(make: Make) -> None:
    """A message that the broker refuses does not hold up the others, which go once."""
    app = make(extensions=EXTENSIONS, QUEUES_URL="memory:")
    app.queues.__dict__["broker"] = Moody()
    prepared(app)
    with app.app_context():
        app.db.session.execute(INSERT)
        for body in ("a", "bad", "b"):
            app.queues.send("snow", body)
        app.db.session.commit()
    assert waiting(app) == ["a", "b"]
    assert app.db.all("SELECT body FROM buttress_message") == ["bad"]


def test_a_broker_that_was_down_at_the_start(make: Make) -> None:
    """A queue that could not be made at the start is made when a message is sent to it."""
    app = make(extensions=EXTENSIONS, QUEUES_URL="memory:", QUEUES_NAMES="snow,rain")
    broker = Moody()
    broker.down = True
    app.queues.__dict__["broker"] = broker
    app.start()
    assert broker.asked == ["snow"]
    with pytest.raises(Unavailable):
        app.queues.send("rain", "x")
    broker.down = False
    app.queues.send("rain", "x")
    assert broker.depth("rain").ready == 1
