"""The user that an identity at a provider stands for here."""

from __future__ import annotations

from typing import Any

import pytest

from buttress import Service
from buttress.auth.login.identity import ROLE, name_of
from tests.auth.login.conftest import Browser, LoginService
from tests.auth.login.fake_provider import ISSUER, SETTINGS, FakeProvider
from tests.auth.login.test_oidc import ADA, expect_refusal, go


@pytest.fixture
def app(login_service: LoginService) -> Service:
    """Give a service whose users log in at a provider."""
    return login_service(**SETTINGS)


def test_the_user_is_made_once(app: Service, browser: Browser, fake: FakeProvider) -> None:
    """The first login makes a user, found by issuer and subject again, whatever else changes."""
    fake.claims = {"email": "ada@a.example", "email_verified": True}
    go(browser, fake)
    first = app.auth.users.get(ADA)
    fake.claims = {"email": "countess@a.example", "email_verified": True}
    go(Browser(app.test_client()), fake)
    again = app.auth.users.get(ADA)
    assert first is not None
    assert again is not None
    assert (first.id, first.email) == (again.id, "ada@a.example")
    assert again.email == "countess@a.example"
    assert again.roles == {ROLE}


def test_another_subject_with_the_same_address(
    app: Service, browser: Browser, fake: FakeProvider
) -> None:
    """An e-mail address or a name that somebody has here makes nobody them."""
    app.auth.users.update("ada", email="ada@a.example", roles=["admin"])
    fake.claims = {
        "sub": "eve",
        "email": "ada@a.example",
        "email_verified": True,
        "preferred_username": "ada",
    }
    go(browser, fake)
    assert browser.known_as == name_of(ISSUER, "eve")


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_is_not_verified(
    app: Service, browser: Browser, fake: FakeProvider, verified: object
) -> None:
    """An address counts only where the provider says that it has verified it."""
    fake.claims = {"email": "ada@a.example", "email_verified": verified}
    assert go(browser, fake).status_code == 303
    user = app.auth.users.get(ADA)
    assert user is not None
    assert user.email is None


def test_a_user_who_was_made_beforehand(app: Service, browser: Browser, fake: FakeProvider) -> None:
    """Who takes the name that somebody will have gets nobody to log in to it."""
    app.auth.users.create(ADA, "a password that eve knows")
    answer = go(browser, fake)
    expect_refusal(browser, answer, "You may not log in here with this account.")


def test_a_user_who_is_disabled(app: Service, browser: Browser, fake: FakeProvider) -> None:
    """Who is disabled here loses the session, and the provider brings nobody back."""
    go(browser, fake)
    app.auth.users.update(ADA, active=False)
    assert browser.known_as is None
    expect_refusal(browser, go(browser, fake), "You may not log in here with this account.")


@pytest.mark.parametrize("email", ["ada", "a b@c.d", "\ud800@a.example", "x" * 300 + "@a.example"])
def test_an_address_that_is_none(browser: Browser, fake: FakeProvider, email: str) -> None:
    """Who cannot be kept here is told that the login failed."""
    fake.claims = {"email": email, "email_verified": True}
    expect_refusal(browser, go(browser, fake))


ROLES = {"guides": ["guide"], "chiefs": ["guide", "chief"]}


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        (["guides"], {ROLE, "guide"}),
        (["chiefs", "cooks"], {ROLE, "guide", "chief"}),
        ("guides", {ROLE, "guide"}),
        ([], {ROLE}),
        (None, {ROLE}),
        ([["guides"], 7, None], {ROLE}),
        ({"guides": True}, {ROLE}),
    ],
)
def test_roles(
    login_service: LoginService, fake: FakeProvider, groups: object, roles: set[str]
) -> None:
    """The values of a claim become roles; those that nobody has named, nothing."""
    app = login_service(**SETTINGS, AUTH_OIDC_ROLES=ROLES)
    fake.claims = {"groups": groups}
    go(Browser(app.test_client()), fake)
    user = app.auth.users.get(ADA)
    assert user is not None
    assert user.roles == roles


def test_roles_that_change(login_service: LoginService, fake: FakeProvider) -> None:
    """A login takes away what the provider says no longer."""
    app = login_service(**SETTINGS, AUTH_OIDC_ROLES=ROLES, AUTH_ROLES={"chief": ["close"]})
    browser = Browser(app.test_client())
    seen = []
    for groups in (["chiefs"], []):
        fake.claims = {"groups": groups}
        go(browser, fake)
        seen.append(browser.open("/__permissions__").json["permissions"])
    assert seen == [["close"], []]


def test_roles_of_this_service(app: Service, browser: Browser, fake: FakeProvider) -> None:
    """Where the provider's word is not translated, roles that were given here stay."""
    go(browser, fake)
    app.auth.users.update(ADA, roles=[ROLE, "guide"])
    go(browser, fake)
    user = app.auth.users.get(ADA)
    assert user is not None
    assert user.roles == {ROLE, "guide"}


def test_claims_of_the_user_info(login_service: LoginService, fake: FakeProvider) -> None:
    """What the ID token does not say is asked for; what it says is not overruled."""
    app = login_service(**SETTINGS, AUTH_OIDC_ROLES=ROLES)
    fake.userinfo = {"sub": "ada", "groups": ["guides"], "email": "a@b.c", "email_verified": True}
    fake.claims = {"email": "ada@a.example", "email_verified": True}
    go(Browser(app.test_client()), fake)
    user = app.auth.users.get(ADA)
    assert user is not None
    assert (user.email, user.roles) == ("ada@a.example", {ROLE, "guide"})


@pytest.mark.parametrize(
    ("token", "more"),
    [
        ({"email": "ada@a.example"}, {"email": "eve@e.example", "email_verified": False}),
        ({"email_verified": True}, {"email": "eve@e.example"}),
        ({"email": "eve@e.example"}, {"email_verified": True}),
    ],
)
def test_an_address_and_its_proof_are_of_one_place(
    app: Service, browser: Browser, fake: FakeProvider, token: dict[str, Any], more: dict[str, Any]
) -> None:
    """What one answer has verified says nothing of the address in another."""
    fake.claims, fake.userinfo = token, {"sub": "ada", **more}
    assert go(browser, fake).status_code == 303
    user = app.auth.users.get(ADA)
    assert user is not None
    assert user.email is None


def test_the_user_info_of_somebody_else(browser: Browser, fake: FakeProvider) -> None:
    """A user info of another subject is none."""
    fake.userinfo = {"sub": "eve", "email": "eve@e.example", "email_verified": True}
    expect_refusal(browser, go(browser, fake))


def test_names_are_apart() -> None:
    """No two identities share a name, and an issuer cannot be moved into the subject."""
    pairs = [("a", "b"), ("c", "b"), ("a", "c"), ("ab", ""), ("", "ab"), ("a", "B")]
    assert len({name_of(*pair) for pair in pairs}) == len(pairs)
