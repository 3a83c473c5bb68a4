"""The rules of users: who may be one, and who may log in."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from flask_jwt_extended import get_jwt
from msgspec import Struct

from buttress import Code, Problem
from buttress.auth import User, UserExists
from buttress.jwt import TokenRefused
from piste.app.main import app
from piste.app.users.constants import LEAST_DIFFERENT, LEAST_LENGTH, USER_CLAIM

logger = logging.getLogger(__name__)


class NewUser(Struct, forbid_unknown_fields=True, kw_only=True):
    """Somebody who signs up."""

    name: str
    password: str
    email: str


class Credentials(Struct, forbid_unknown_fields=True, kw_only=True):
    """A name and a password."""

    name: str
    password: str


class Profile(Struct, kw_only=True):
    """What users are told of themselves."""

    name: str
    email: str | None
    roles: list[str]
    scopes: list[str]


def sign_up(new: NewUser) -> Profile:
    """Make a user without a role; answers 409 where the name is taken."""
    if is_weak(new.password, new.name):
        raise Problem(
            Code.UNPROCESSABLE_CONTENT,
            f"That password is too weak: it needs {LEAST_LENGTH} characters, {LEAST_DIFFERENT} of "
            "them different, not counting your name.",
        )
    try:
        user = app.auth.users.create(new.name, new.password, email=new.email)
    except UserExists as error:
        raise Problem(Code.CONFLICT, str(error)) from error
    except ValueError as error:
        raise Problem(Code.UNPROCESSABLE_CONTENT, str(error)) from error
    logger.info("User %s signed up", user.name)
    return profile(user, ())


def is_weak(password: str, name: str) -> bool:
    """Tell whether a password is too easily guessed."""
    own = password.casefold().replace(name.casefold(), "")
    return len(own) < LEAST_LENGTH or len(set(own)) < LEAST_DIFFERENT


def log_in(given: Credentials) -> dict[str, str]:
    """Give an access token and a refresh token; answers 401, and 429 after too many attempts."""
    user = app.auth.check(given.name, given.password)
    if user is None:
        headers = {"WWW-Authenticate": f'Bearer realm="{app.name}"'}
        raise Problem(Code.UNAUTHORIZED, "The name or the password is wrong.", headers=headers)
    return app.jwt.issue(user.name, {USER_CLAIM: claim_of(user)})


def refresh() -> dict[str, str]:
    """Give new tokens for the refresh token of this request.

    Raises `TokenRefused`, also where the user has another password now, or is another one.
    """
    held = get_jwt()
    if held.get(USER_CLAIM) != claim_of(user_of(held["sub"])):
        raise TokenRefused("The user has changed since the login")
    return app.jwt.refresh()


def log_out() -> None:
    """Refuse the token of this request from now on, and all others of its login."""
    app.jwt.revoke(get_jwt())


def user_of(name: str) -> User:
    """Give the user whom a token speaks of. Raises `TokenRefused` for one who is gone."""
    user = app.auth.users.get(name)
    if user is None:
        raise TokenRefused("The user is gone")
    return user


def profile(user: User, scopes: Iterable[str]) -> Profile:
    """Describe a user who may do so much."""
    return Profile(
        name=user.name, email=user.email, roles=sorted(user.roles), scopes=sorted(scopes)
    )


def claim_of(user: User) -> str:
    """Write what changes when a user does: the id for ever, the revision with the password."""
    return f"{user.id}/{user.revision}"
