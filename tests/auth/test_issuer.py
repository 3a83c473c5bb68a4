"""Secrets that are issued to users."""

from __future__ import annotations

import pytest

from buttress import Unavailable
from buttress.auth.authenticators import Refused
from buttress.auth.issuer import FORGET_AFTER, Issuer
from buttress.auth.passwords import Passwords
from buttress.auth.tokens import Token
from buttress.auth.tokens.memory import MemoryTokens
from buttress.auth.users import User
from buttress.auth.users.directory import Directory
from buttress.auth.users.memory import MemoryUsers
from tests.auth.test_door import Clock

DAY = 86_400.0


@pytest.fixture
def clock() -> Clock:
    """Give a clock."""
    return Clock()


@pytest.fixture
def users(passwords: Passwords) -> MemoryUsers:
    """Give users, among them ada, a guide."""
    made = MemoryUsers(passwords)
    made.create("ada", "powder & sun", roles=["guide"])
    return made


@pytest.fixture
def directory(users: MemoryUsers) -> Directory:
    """Give their directory, which remembers nothing."""
    return Directory(users, {"guide": ["read:pistes", "write:snow*"], "admin": ["*"]}, 0)


@pytest.fixture
def issuer(directory: Directory, clock: Clock) -> Issuer:
    """Give an issuer that remembers nothing."""
    return Issuer(MemoryTokens(), directory, 0, clock)


@pytest.fixture
def ada(users: MemoryUsers) -> User:
    """Give ada."""
    found = users.get("ada")
    assert found is not None
    return found


def why(issuer: Issuer, secret: str, kind: str = "api") -> str:
    """Give why a secret is refused."""
    with pytest.raises(Refused) as caught:
        issuer.resolve("token", kind, secret)
    assert secret[20:] not in str(caught.value)
    return str(caught.value)


def test_issued_and_recognised(issuer: Issuer, ada: User) -> None:
    """Who has the secret is its owner."""
    secret, token = issuer.issue(ada, label="script", seconds=DAY)
    found, owner = issuer.resolve("token", "api", secret)
    assert (found.id, found.label, owner) == (token.id, "script", ada)
    assert issuer.scopes_of(token, ada) == {"read:pistes", "write:snow*"}


def test_narrower_than_the_owner(issuer: Issuer, ada: User) -> None:
    """A token may have some of its owner's scopes."""
    _, token = issuer.issue(ada, scopes=["write:snow:deep"], seconds=DAY)
    assert issuer.scopes_of(token, ada) == {"write:snow:deep"}


@pytest.mark.parametrize("scope", ["admin", "*", "write:*", "read:pistes*"])
def test_never_wider_than_the_owner(issuer: Issuer, ada: User, scope: str) -> None:
    """Nobody gives what they have not."""
    with pytest.raises(ValueError, match="cannot give what they have not"):
        issuer.issue(ada, scopes=[scope], seconds=DAY)


def test_it_shrinks_with_the_owner(issuer: Issuer, ada: User, users: MemoryUsers) -> None:
    """What the owner lost the token lost too."""
    secret, token = issuer.issue(ada, scopes=["read:pistes"], seconds=DAY)
    users.update("ada", roles=[])
    _, owner = issuer.resolve("token", "api", secret)
    assert issuer.scopes_of(token, owner) == frozenset()


def test_it_ends(issuer: Issuer, ada: User, clock: Clock) -> None:
    """A token ends when it was said to."""
    secret, _ = issuer.issue(ada, seconds=DAY)
    clock.now += DAY - 1
    issuer.resolve("token", "api", secret)
    clock.now += 1
    assert "expired 0 s ago" in why(issuer, secret)


def test_revoked(issuer: Issuer, ada: User) -> None:
    """A revoked token is refused at once."""
    secret, token = issuer.issue(ada, seconds=DAY)
    issuer.resolve("token", "api", secret)
    assert issuer.revoke(token.id)
    assert "unknown or revoked" in why(issuer, secret)


def test_revoked_by_the_owner_alone(issuer: Issuer, ada: User, users: MemoryUsers) -> None:
    """Another user revokes nothing."""
    secret, token = issuer.issue(ada, seconds=DAY)
    eve = users.create("eve", "eve's own")
    assert not issuer.revoke(token.id, eve)
    issuer.resolve("token", "api", secret)
    assert issuer.revoke(token.id, ada)


def test_remembered_and_revoked(directory: Directory, clock: Clock, ada: User) -> None:
    """What is revoked here is not remembered; what is revoked elsewhere for so long only."""
    tokens = MemoryTokens()
    here, elsewhere = (Issuer(tokens, directory, 5, clock) for _ in range(2))
    secret, token = here.issue(ada, seconds=DAY)
    for each in (here, elsewhere):
        each.resolve("token", "api", secret)
    here.revoke(token.id)
    assert "unknown or revoked" in why(here, secret)
    elsewhere.resolve("token", "api", secret)
    clock.now += 5
    assert "unknown or revoked" in why(elsewhere, secret)


def test_use_does_not_outlast_a_revocation(directory: Directory, clock: Clock, ada: User) -> None:
    """A token that is in use all the time is refused no later elsewhere than one that is not."""
    tokens = MemoryTokens()
    here, elsewhere = (Issuer(tokens, directory, 5, clock) for _ in range(2))
    secret, token = here.issue(ada, seconds=DAY)
    elsewhere.resolve("token", "api", secret)
    here.revoke(token.id)
    for _ in range(2):
        clock.now += 2
        elsewhere.resolve("token", "api", secret)
    clock.now += 2
    assert "unknown or revoked" in why(elsewhere, secret)


def test_revoked_while_it_is_looked_up(directory: Directory, clock: Clock, ada: User) -> None:
    """A token that is revoked while another request finds it is not remembered."""
    tokens = MemoryTokens()
    issuer = Issuer(tokens, directory, 5, clock)
    secret, _ = issuer.issue(ada, seconds=DAY)
    find = tokens.get

    def get(token_id: str) -> Token | None:
        found = find(token_id)
        issuer.revoke(token_id)
        return found

    tokens.get = get  # type: ignore[method-assign]  # for this once
    issuer.resolve("token", "api", secret)
    assert "unknown or revoked" in why(issuer, secret)


def test_a_store_that_only_reads(
    directory: Directory, clock: Clock, ada: User, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the last use cannot be noted the token is good; it is tried again a minute later."""

    class ReadOnly(MemoryTokens):
        tried = 0

        def touch(self, token_id: str, now: float) -> None:
            self.tried += 1
            raise Unavailable("read only")

    tokens = ReadOnly()
    issuer = Issuer(tokens, directory, 5, clock)
    secret, _ = issuer.issue(ada, seconds=DAY)
    for _ in range(7):
        issuer.resolve("token", "api", secret)
        clock.now += 10
    assert tokens.tried == 2
    assert "could not be noted" in caplog.text


def test_expired_tokens_are_removed(issuer: Issuer, ada: User, clock: Clock) -> None:
    """What has expired does not stay for ever."""
    _, old = issuer.issue(ada, seconds=1)
    clock.now += 2
    for _ in range(FORGET_AFTER):
        issuer.issue(ada, seconds=DAY)
    assert issuer.tokens.get(old.id) is None
    assert len(issuer.tokens.of(ada.id, "api")) == FORGET_AFTER


def test_a_login_after_a_password_was_changed_elsewhere(
    users: MemoryUsers, clock: Clock, ada: User
) -> None:
    """A new session is good also where the user is remembered as they were before."""
    directory = Directory(users, {}, 60)
    issuer = Issuer(MemoryTokens(), directory, 60, clock)
    old, _ = issuer.issue(ada, kind="session", seconds=DAY)
    issuer.resolve("session", "session", old)
    users.change_password("ada", "fresh & cold")
    changed = users.get("ada")
    assert changed is not None
    secret, _ = Issuer(issuer.tokens, Directory(users, {}, 0), 0, clock).issue(
        changed, kind="session", seconds=DAY
    )
    issuer.resolve("session", "session", secret)
    issuer.issue(changed, kind="session", seconds=DAY)
    assert "password was changed" in why(issuer, old, "session")


def test_an_owner_who_is_disabled(issuer: Issuer, ada: User, users: MemoryUsers) -> None:
    """What a disabled user had is of no use."""
    secret, _ = issuer.issue(ada, seconds=DAY)
    users.update("ada", active=False)
    assert "gone or disabled" in why(issuer, secret)


def test_a_new_user_of_an_old_name(issuer: Issuer, ada: User, users: MemoryUsers) -> None:
    """A new user does not inherit what one of the same name had."""
    secret, _ = issuer.issue(ada, seconds=DAY)
    users.delete("ada")
    users.create("ada", "another one")
    assert "gone or disabled" in why(issuer, secret)


def test_sessions_end_with_the_password(issuer: Issuer, ada: User, users: MemoryUsers) -> None:
    """A changed password ends sessions, and not API tokens."""
    session, _ = issuer.issue(ada, kind="session", seconds=DAY)
    token, _ = issuer.issue(ada, seconds=DAY)
    users.change_password("ada", "fresh & cold")
    assert "password was changed" in why(issuer, session, "session")
    issuer.resolve("token", "api", token)


def test_kinds_are_apart(issuer: Issuer, ada: User) -> None:
    """The secret of a session is no API token."""
    secret, _ = issuer.issue(ada, kind="session", seconds=DAY)
    assert "kind 'session'" in why(issuer, secret, "api")


def test_a_secret_that_is_changed(issuer: Issuer, ada: User) -> None:
    """A secret that differs in one character is refused, and so is what is none."""
    secret, token = issuer.issue(ada, seconds=DAY)
    other = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    assert why(issuer, other) == f"the secret of {token.id} is wrong"
    assert "not the form" in why(issuer, secret + "x" * 40)


def test_use_is_noted_now_and_then(issuer: Issuer, ada: User, clock: Clock) -> None:
    """The last use is noted, but not at each request."""
    secret, token = issuer.issue(ada, seconds=DAY)
    first = clock.now
    for seconds in (0, 30, 31):
        clock.now += seconds
        issuer.resolve("token", "api", secret)
        found = issuer.tokens.get(token.id)
        assert found is not None
        assert found.used == (first if seconds < 31 else clock.now)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_no_time(issuer: Issuer, ada: User, seconds: float) -> None:
    """A token for no time at all, or without end, is a mistake."""
    with pytest.raises(ValueError, match="of no use"):
        issuer.issue(ada, seconds=seconds)


@pytest.mark.parametrize("scopes", ["read:pistes", ["read:pistes write:snow"], [""]], ids=str)
def test_what_is_no_scope(issuer: Issuer, users: MemoryUsers, scopes: list[str]) -> None:
    """Neither letters of a text nor two words are taken for scopes, whatever the owner may."""
    root = users.create("root", "powder & sun", roles=["admin"])
    with pytest.raises(ValueError, match="no scope|its letters"):
        issuer.issue(root, scopes=scopes, seconds=DAY)


@pytest.mark.parametrize("label", ["a\0b", "a\nb", "\ud800"], ids=range(3))
def test_what_is_no_label(issuer: Issuer, ada: User, label: str) -> None:
    """A label is a line of text, such as every database takes."""
    with pytest.raises(ValueError, match="one line"):
        issuer.issue(ada, label=label, seconds=DAY)
