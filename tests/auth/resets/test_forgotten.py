"""Forgotten passwords: who gets a code, and what it is good for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event
from time import sleep
from typing import Any

import pytest

from buttress.auth.login import identity
from buttress.auth.passwords import Passwords
from buttress.auth.resets import ResetCodes, forgotten
from buttress.auth.resets.forgotten import ForgottenPasswords
from buttress.auth.resets.memory import MemoryResets
from buttress.auth.users import ELSEWHERE, LONGEST_PASSWORD, UserError, Users
from buttress.auth.users.memory import MemoryUsers
from buttress.errors import Unavailable
from buttress.lifecycle import Deadline

OLD, NEW = "Piste 7 is open", "Piste 8 is open"
CODE = re.compile(r"(?:\w{4}-){3}\w{4}")


class Post:
    """What carries mails, or fails."""

    def __init__(self) -> None:
        self.mails: list[dict[str, Any]] = []
        self.failure: Exception | None = None
        self.open = Event()
        self.open.set()

    def __call__(self, **mail: Any) -> None:
        self.open.wait(10)
        if self.failure is not None:
            raise self.failure
        self.mails.append(mail)

    @property
    def code(self) -> str:
        """Give the code of the latest mail."""
        found = CODE.search(self.mails[-1]["text"])
        assert found is not None
        return found[0]


@pytest.fixture
def post() -> Post:
    """Give what carries mails."""
    return Post()


@pytest.fixture
def users(passwords: Passwords) -> Users:
    """Give users, among them Ann."""
    made = MemoryUsers(passwords)
    made.create("ann", OLD, email="ann@a.example")
    return made


@pytest.fixture
def resets(users: Users, post: Post) -> Iterator[ForgottenPasswords]:
    """Give forgotten passwords."""
    codes = ResetCodes(MemoryResets())
    with closing(ForgottenPasswords(users, codes, post)) as made:
        yield made


def send(resets: ForgottenPasswords, *names: str, **options: str) -> None:
    """Ask for codes, and wait until they are sent."""
    for name in names:
        resets.send(name, **options)
    resets.drain(Deadline(10))


def test_a_new_password_by_mail(resets: ForgottenPasswords, users: Users, post: Post) -> None:
    """The code of the mail sets a new password, once, and the user given can log in."""
    send(resets, "Ann")
    assert (post.mails[0]["to"], post.mails[0]["subject"]) == ("ann@a.example", "A new password")
    user = resets.use("ANN", post.code.lower(), NEW)
    assert user == users.authenticate("ann", NEW)
    assert users.authenticate("ann", OLD) is None
    assert resets.use("ann", post.code, OLD) is None


def test_who_gets_no_code(resets: ForgottenPasswords, users: Users, post: Post) -> None:
    """Nobody gets a code who is unknown, disabled, without an address, or logs in elsewhere."""
    users.create("bob", OLD, email="bob@b.example")
    users.update("bob", active=False)
    users.create("cleo", OLD)
    users.create("dan", OLD, email="dan@d.example", roles=["admin", ELSEWHERE])
    send(resets, "bob", "cleo", "dan", "nobody")
    assert post.mails == []
    assert identity.ROLE == ELSEWHERE


def test_what_is_no_name(
    resets: ForgottenPasswords, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is neither kept nor looked for, however long it is."""
    asked: list[str] = []
    monkeypatch.setattr(users, "get", asked.append)
    send(resets, "", "no name", "a" * 1_000_000, "ann")
    assert asked == ["ann"]


@pytest.mark.parametrize(
    "change", [{"active": False}, {"roles": [ELSEWHERE]}, {"email": "ann@b.example"}], ids=str
)
def test_a_user_that_changes_meanwhile(
    resets: ForgottenPasswords, users: Users, post: Post, change: dict[str, Any]
) -> None:
    """A code is of no use to who may have none by now."""
    send(resets, "ann")
    users.update("ann", **change)
    assert resets.use("ann", post.code, NEW) is None


def test_a_code_ends_with_the_password(
    resets: ForgottenPasswords, users: Users, post: Post
) -> None:
    """It is of no use after a new password, nor where the user was disabled for a while."""
    send(resets, "ann")
    users.change_password("ann", OLD)
    assert resets.use("ann", post.code, NEW) is None
    send(resets, "ann")
    users.update("ann", active=False)
    users.update("ann", active=True)
    assert resets.use("ann", post.code, NEW) is None


def test_a_code_is_that_of_a_user(resets: ForgottenPasswords, users: Users, post: Post) -> None:
    """Neither another user nor a new one of the old name can use a code."""
    users.create("eve", OLD, email="eve@e.example")
    send(resets, "ann")
    assert resets.use("eve", post.code, NEW) is None
    assert resets.use("nobody", post.code, NEW) is None
    users.delete("ann")
    users.create("ann", OLD, email="ann@a.example")
    assert resets.use("ann", post.code, NEW) is None


@pytest.mark.parametrize("password", ["", "x" * (LONGEST_PASSWORD + 1), "\ud800"], ids=range(3))
def test_what_can_be_no_password(
    resets: ForgottenPasswords, users: Users, post: Post, password: str
) -> None:
    """It is refused, and takes no code with it."""
    send(resets, "ann")
    with pytest.raises(ValueError, match="A password has"):
        resets.use("ann", post.code, password)
    assert resets.use("ann", post.code, NEW) is not None


@pytest.mark.parametrize("failure", [UserError("too simple"), Unavailable()], ids=["no", "down"])
def test_a_password_that_is_not_taken(
    resets: ForgottenPasswords,
    users: Users,
    post: Post,
    failure: Exception,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the backend refuses it or is down, the user tries again with the same code."""

    def fail(*_: object) -> None:
        raise failure

    send(resets, "ann")
    monkeypatch.setattr(users, "change_password", fail)
    with pytest.raises(type(failure)):
        resets.use("ann", post.code, NEW)
    monkeypatch.undo()
    assert resets.use("ann", post.code, NEW) is not None


def test_mail_that_cannot_be_sent(
    resets: ForgottenPasswords, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure is in the log, without the code, and costs the user none of their codes."""
    post.failure = Unavailable("Mail cannot be sent at the moment.")
    send(resets, *["ann"] * 5)
    assert caplog.messages == ["A reset code could not be sent"] * 5
    assert not CODE.search(caplog.text)
    post.failure = None
    send(resets, *["ann"] * 5)
    assert len(post.mails) == 3
    assert resets.use("ann", post.code, NEW) is not None


def test_users_that_cannot_be_asked(
    resets: ForgottenPasswords, users: Users, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage while the name is looked for is nothing that who asks can see."""

    def fail(_: str) -> None:
        raise Unavailable

    monkeypatch.setattr(users, "get", fail)
    send(resets, "ann")
    assert post.mails == []


def test_the_text(resets: ForgottenPasswords, post: Post) -> None:
    """Subject and text may be one's own; a text must have the code in it."""
    send(resets, "ann", subject="Ein neues Passwort", text="{name}: {code} {x} %s")
    assert post.mails[0]["subject"] == "Ein neues Passwort"
    assert post.mails[0]["text"] == f"ann: {post.code} {{x}} %s"
    with pytest.raises(ValueError, match="must have {code}"):
        resets.send("nobody", text="Your code is code.")


def test_nobody_waits_for_mail(
    resets: ForgottenPasswords,
    post: Post,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While mail is slow nobody waits for it, and no more is kept than there is room for."""
    monkeypatch.setattr(forgotten, "WAITING", 3)
    post.open.clear()
    for _ in range(5):
        resets.send("ann")
    resets.drain(Deadline(0))
    assert post.mails == []
    assert caplog.messages == ["Too many reset codes are asked for at once: one is not sent"] * 2
    post.open.set()
    resets.drain(Deadline(10))
    assert len(post.mails) == 3


def test_the_end(resets: ForgottenPasswords, post: Post) -> None:
    """At the end those on their way are sent, and those that wait are not."""
    post.open.clear()
    for _ in range(3):
        resets.send("ann")
    with ThreadPoolExecutor(1) as other:
        end = other.submit(resets.close)
        while len(resets._waiting) > forgotten.AT_ONCE:
            sleep(0.001)
        post.open.set()
        end.result(10)
    assert len(post.mails) == forgotten.AT_ONCE
