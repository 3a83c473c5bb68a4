from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy_lite import SQLAlchemy
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    """The models of these tests."""


class Lift(Base):
    """One row."""

    __tablename__ = "lift"
    name: Mapped[str] = mapped_column(primary_key=True)


class Shop:
    """Hold an application, its database, and the sessions that its requests had."""

    def __init__(self, app: Flask, file: Path) -> None:
        app.config["SQLALCHEMY_ENGINES"] = {"default": f"sqlite:///{file}"}
        self.db = SQLAlchemy(app)
        self.sessions: list[Session] = []
        app.add_url_rule("/", view_func=self.names)
        app.add_url_rule("/add/<name>/<end>", view_func=self.add, methods=["POST"])
        app.teardown_appcontext(self.keep)
        with app.app_context():
            Base.metadata.create_all(self.db.engine)
        self.app, self.client = app, app.test_client()
        self.sessions.clear()

    def names(self) -> list[str]:
        """List the rows."""
        return list(self.db.session.scalars(select(Lift.name).order_by(Lift.name)))

    def add(self, name: str, end: str) -> Any:
        """Add a row, and commit, forget to commit, or fail."""
        self.db.session.add(Lift(name=name))
        self.db.session.flush()
        if end == "commit":
            self.db.session.commit()
        return {"end": end} if end != "fail" else 1 / 0

    def keep(self, _: BaseException | None) -> None:
        """Keep the session of a request that ends; this runs before the extension's own end."""
        self.sessions.append(self.db.session)


@pytest.fixture
def shop(app: Flask, tmp_path: Path) -> Iterator[Shop]:
    """Make an application on a new SQLite file."""
    shop = Shop(app, tmp_path / "shop.sqlite")
    yield shop
    with app.app_context():
        shop.db.engine.dispose()


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    """Give the client of the application."""
    return shop.client


def test_commit_is_seen_by_the_next_request(client: FlaskClient) -> None:
    """What a request commits, the next one reads."""
    assert client.post("/add/gondola/commit").json == {"end": "commit"}
    assert client.get("/").json == ["gondola"]


@pytest.mark.parametrize(("end", "status"), [("forget", 200), ("fail", 500)])
def test_rest_is_rolled_back(client: FlaskClient, end: str, status: int) -> None:
    """What a request does not commit ends with it, as it does when the view fails."""
    assert client.post(f"/add/gondola/{end}").status_code == status
    assert client.get("/").json == []


def test_session_is_of_one_request(shop: Shop) -> None:
    """Each request has a session of its own, which gives its connection back."""
    for path in ("/add/a/commit", "/add/b/forget", "/add/c/fail"):
        shop.client.post(path)
    assert len({id(it) for it in shop.sessions}) == len(shop.sessions) == 3
    assert [it.in_transaction() for it in shop.sessions] == [False, False, False]
    with shop.app.app_context():
        assert shop.db.engine.pool.checkedout() == 0
