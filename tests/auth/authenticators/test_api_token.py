"""API tokens in requests."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from buttress import Service, auth
from buttress.auth.passwords import Passwords
from tests.services import Make


@pytest.fixture
def app(make: Make, passwords: Passwords) -> Service:
    """Give a service with a user, ada, a guide."""
    app = make(
        extensions=["log", "web", "auth"],
        AUTH_ROLES={"guide": ["read:pistes", "read:lifts"]},
        AUTH_REMEMBER=60,
    )
    app.auth.passwords = passwords
    app.auth.users.create("ada", "powder", roles=["guide"])
    app.get("/")(auth.required(lambda: " ".join(sorted(auth.principal.scopes))))
    return app


@pytest.fixture
def client(app: Service) -> FlaskClient:
    """Give a client."""
    return app.test_client()


def issue(app: Service, **options: object) -> tuple[str, str]:
    """Issue a token to ada; give its secret and its id."""
    ada = app.auth.users.get("ada")
    assert ada is not None
    secret, token = app.auth.issue_token(ada, label="script", days=1, **options)  # type: ignore[arg-type]  # scopes
    return secret, token.id


def ask(client: FlaskClient, header: str) -> tuple[int, str]:
    """Ask, and give the status and the scopes."""
    answer = client.get("/", headers={"Authorization": header})
    return answer.status_code, answer.text if answer.status_code == 200 else ""


def test_whose_it_is(app: Service, client: FlaskClient) -> None:
    """A token stands for its owner, with all scopes or fewer."""
    everything, _ = issue(app)
    less, _ = issue(app, scopes=["read:lifts"])
    assert ask(client, f"Bearer {everything}") == (200, "read:lifts read:pistes")
    assert ask(client, f"bearer  {less}") == (200, "read:lifts")


@pytest.mark.parametrize("number", range(7))
def test_tokens_that_are_not_quite_it(app: Service, client: FlaskClient, number: int) -> None:
    """What differs from a token in anything is refused."""
    good, token_id = issue(app)
    wrong = [
        good[:-1],
        good + "A",
        good.upper(),
        f"{good}, Bearer {good}",
        f"bt_{token_id}_{'A' * 43}",
        f"bt_{'a' * 16}_{good[-43:]}",
        f"{good}\xff",
    ][number]
    assert ask(client, f"Bearer {wrong}")[0] == 401


def test_a_very_long_one(client: FlaskClient) -> None:
    """A megabyte is refused as one word is."""
    assert ask(client, "Bearer bt_" + "a" * 1_000_000)[0] == 401
    assert ask(client, "Bearer " + "a." * 500_000)[0] == 401


def test_revoked_at_once(app: Service, client: FlaskClient) -> None:
    """Whatever is revoked or disabled here is refused at once, though it was just used."""
    first, first_id = issue(app)
    second, _ = issue(app)
    assert [ask(client, f"Bearer {it}")[0] for it in (first, second)] == [200, 200]
    app.auth.issuer.revoke(first_id)
    assert [ask(client, f"Bearer {it}")[0] for it in (first, second)] == [401, 200]
    app.auth.users.update("ada", roles=[])
    assert ask(client, f"Bearer {second}") == (200, "")
    app.auth.users.update("ada", active=False)
    assert ask(client, f"Bearer {second}")[0] == 401


def test_all_of_a_user(app: Service, client: FlaskClient) -> None:
    """All tokens of a user are revoked together."""
    secret, _ = issue(app)
    ada = app.auth.users.get("ada")
    assert ada is not None
    assert ask(client, f"Bearer {secret}")[0] == 200
    assert app.auth.issuer.revoke_all(ada) == 1
    assert ask(client, f"Bearer {secret}")[0] == 401
