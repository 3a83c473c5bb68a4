"""What ``app.auth`` is: who makes a request, and who may log in."""

from __future__ import annotations

import hmac
import logging
import os
import weakref
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cached_property
from hashlib import sha256
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from flask import Response, after_this_request, request

from buttress.auth.access import Access
from buttress.auth.authenticators import Authenticator, Refused
from buttress.auth.authenticators.api_token import ApiToken
from buttress.auth.authenticators.basic import Basic
from buttress.auth.authenticators.bearer import Bearer, Verified
from buttress.auth.authenticators.session import SAFE, Session, csrf_token, foreign, refusal
from buttress.auth.backends import attempts_of, location, resets_of, tokens_of, users_of
from buttress.auth.door import Caller, Door
from buttress.auth.issuer import Issuer
from buttress.auth.policy import KNOWN, PUBLIC, Policy
from buttress.auth.principal import Principal
from buttress.auth.resets import ResetCodes
from buttress.auth.resets.forgotten import SUBJECT, TEXT, ForgottenPasswords
from buttress.auth.routes import bare, policies
from buttress.auth.users.directory import Directory, WatchedUsers
from buttress.errors import ExtensionError

if TYPE_CHECKING:
    from buttress.auth.passwords import Passwords
    from buttress.auth.settings import AuthSettings
    from buttress.auth.tokens import Token
    from buttress.auth.users import User, Users
    from buttress.db import Database
    from buttress.lifecycle import Deadline
    from buttress.service import Service

logger = logging.getLogger("buttress.auth")

#: The claim of a signed token that tells under which revision of which user it was made.
MARK = "user_revision"
#: Seconds for which a device is known after a login from it.
DEVICE_LASTS = 180 * 86_400


class Auth:
    """Recognise who makes a request, log users in and out, and issue tokens to them.

    Where users and tokens are is decided when they are first asked for.
    """

    def __init__(self, app: Service, settings: AuthSettings, passwords: Passwords) -> None:
        self._app = cast("Service", weakref.proxy(app))
        self._settings = settings
        self.passwords = passwords
        #: What routes ask for that say nothing of their own.
        self.default = KNOWN if settings.default == "required" else PUBLIC
        self.generate_password_hash = passwords.hash
        self.check_password_hash = passwords.verify
        self.argon2 = passwords.hasher

    def settle(self) -> None:
        """Have the tables in the service's database, which is built by now, or in none."""
        if self._database is not None:
            self._database.migrations.locations.append(location())

    def start(self) -> None:
        """Raise `ExtensionError` for a scope that routes ask for and the settings do not name.

        It does so too for a decorator above its route, where it would close nothing.
        """
        # What is missing is told now, and no two threads make these at the same time.
        _ = self.access, self.door, self.issuer
        if self._app.slot("mail") is not None:
            _ = self.forgotten
        for name in bare(self._app):
            raise ExtensionError(
                "auth",
                f"The decorator of auth of the view '{name}' stands above its route, where it does "
                "nothing: write it below. A view that is meant to have none is auth.public(…).",
            )
        known = self._settings.scopes
        for place, asked in policies(self._app) if known else ():
            for scope in sorted(asked.scopes.difference(known)):
                near = get_close_matches(scope, known, 1)
                hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(known)}."
                raise ExtensionError("auth", f"{place} asks for the scope '{scope}'. {hint}")

    @cached_property
    def users(self) -> Users:
        """Give the user backend; what it changes is known here at once."""
        made = users_of(self._settings, self._app.settings, self._database, self.passwords)
        return cast("Users", WatchedUsers(made, lambda: self.directory.forget()))

    @cached_property
    def directory(self) -> Directory:
        """Give the users as requests need them."""
        return Directory(self.users, self._settings.roles, self._settings.remember)

    @cached_property
    def door(self) -> Door:
        """Give what checks passwords, and counts the attempts."""
        return Door(self.users, attempts_of(self._database), self._key(b"devices"))

    @cached_property
    def issuer(self) -> Issuer:
        """Give what issues and recognises sessions and API tokens."""
        return Issuer(tokens_of(self._database), self.directory, self._settings.remember)

    @cached_property
    def forgotten(self) -> ForgottenPasswords:
        """Give what sends reset codes, by the extension ``mail``."""
        codes = ResetCodes(resets_of(self._database))
        return ForgottenPasswords(self.users, codes, self._app.mail.send)

    @cached_property
    def session(self) -> Session:
        """Give the authenticator of browsers."""
        # One that only this host can set, and by HTTPS alone (RFC 6265bis, 4.1.3.2).
        name = "login" if self._app.mode == "development" else "__Host-login"
        return Session(self.issuer, name)

    @cached_property
    def access(self) -> Access:
        """Give the decision about requests."""
        return Access([self._authenticator(name) for name in self._settings.authenticators])

    @property
    def principal(self) -> Principal:
        """Give who makes this request. Raises 401 for credentials that are wrong."""
        return self.access.principal(request)

    @property
    def admitted(self) -> Principal | None:
        """Give who makes this request, once its route has asked for that and let it pass."""
        return self.access.admitted(request)

    def demand(self, policy: Policy) -> Principal:
        """Let this request pass, or raise 401 or 403."""
        return self.access.demand(request, policy)

    def check(self, name: str, password: str) -> User | None:
        """Give the user whose password this is, counted as an attempt of this request's caller.

        Raises `Problem` 429 after too many attempts, and `Unavailable` while the users cannot be
        asked.
        """
        return self.door.enter(name, password, self._caller)

    def send_reset(self, name: str, *, subject: str = SUBJECT, text: str = TEXT) -> None:
        """Have a reset code sent to the user of a name; whether there is one, nobody can tell.

        It is sent after the answer, to a user with a mail address who logs in by a password of
        this service. ``{code}`` and ``{name}`` are filled into the text.
        """
        self.forgotten.send(name, subject=subject, text=text)

    def reset(self, name: str, code: str, password: str) -> User | None:
        """Set the password of the user whose reset code this is, and give them; else ``None``.

        Raises `ValueError` for what can be no password, and what `check` raises: the guesses of
        codes are counted with those of passwords.
        """
        return self.door.attempt(
            name, self._caller, lambda: self.forgotten.use(name, code, password)
        )

    def log_in(self, user: User) -> None:
        """Begin a session for a user with the answer to this request; one before it ends.

        Raises `Problem` 403 where a page of another site has sent the form.
        """
        self._end_session()
        secret, _ = self.issuer.issue(
            user, kind="session", seconds=self._settings.session_hours * 3600
        )
        device = self.door.device_of(user)

        @after_this_request
        def keep(response: Response) -> Response:
            self._set_cookie(response, self.session.cookie, secret, None)
            self._set_cookie(response, self.device_cookie, device, DEVICE_LASTS)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

    def log_out(self) -> None:
        """End the session of this request, here and in the browser.

        Raises `Problem` 403 where a page of another site asks for it.
        """
        if not self._end_session():
            return

        @after_this_request
        def drop(response: Response) -> Response:
            self._set_cookie(response, self.session.cookie, "", 0)
            return response

    def _end_session(self) -> bool:
        """End the session that this request has; tell whether it has a cookie of one."""
        forged = None if request.method in SAFE else foreign(request)
        if forged is not None:
            raise refusal(forged)
        secret = request.cookies.get(self.session.cookie)
        if secret:
            self.issuer.revoke_secret(secret)
            self.access.forget(request)
        return bool(secret)

    def csrf_token(self) -> str:
        """Give the token that a form of this session carries; empty without a session."""
        secret = request.cookies.get(self.session.cookie)
        return csrf_token(secret) if secret else ""

    def issue_token(
        self, user: User, *, label: str, days: float, scopes: Iterable[str] | None = None
    ) -> tuple[str, Token]:
        """Issue an API token; its secret is given here and never again. Raises `ValueError`."""
        return self.issuer.issue(
            user, kind="api", label=label, scopes=scopes, seconds=days * 86_400
        )

    def mark_of(self, subject: str) -> dict[str, str]:
        """Give what a new signed token says of its user, so that it ends with their password."""
        self.directory.forget(subject)  # what was known may be older than the login
        user = self.directory.look(subject)
        return {} if user is None else {MARK: f"{user.revision}.{user.id}"}

    def disowns(self, claims: Mapping[str, Any]) -> bool:
        """Tell whether a signed token of ours was made before its user changed.

        They are disabled, have a new password, or are another user of an old name.
        """
        if self._app.jwt.verifier.keys.signing is None:
            return False
        user = self.directory.look(str(claims["sub"]))
        if user is None:
            return False
        revision, _, user_id = str(claims.get(MARK)).partition(".")
        if not (user_id and revision.isdecimal()):  # it was made elsewhere, such as for a peer
            return not user.active
        # A user who is remembered may be older than the token, which then has the higher one.
        return user_id != user.id or int(revision) < user.revision or not user.active

    def drain(self, deadline: Deadline) -> None:
        """Let the reset codes go out that were asked for."""
        if "forgotten" in self.__dict__:
            self.forgotten.drain(deadline)

    def close(self) -> None:
        """Leave the user backend, if it was ever asked for, and end the threads."""
        if "forgotten" in self.__dict__:
            self.forgotten.close()
        if "users" in self.__dict__:
            self.users.close()
        self.passwords.close()

    @property
    def _caller(self) -> Caller:
        return Caller(request.remote_addr or "", request.cookies.get(self.device_cookie))

    @property
    def device_cookie(self) -> str:
        """Name the cookie by which a device is known."""
        return f"{self.session.cookie}-device"

    def _set_cookie(self, response: Response, name: str, value: str, seconds: int | None) -> None:
        # In development pages may come by plain HTTP, with which not all browsers keep others.
        secure = self._app.mode != "development" or request.is_secure
        response.set_cookie(
            name, value, max_age=seconds, secure=secure, httponly=True, samesite="Lax", path="/"
        )

    @property
    def _database(self) -> Database | None:
        return None if self._app.slot("db") is None else self._app.db

    def _authenticator(self, name: str) -> Authenticator:
        realm = self._settings.realm or self._app.name
        match name:
            case "bearer":
                return Bearer(self._verified, self.directory, realm)
            case "token":
                return ApiToken(self.issuer, realm)
            case "session":
                return self.session
            case _:
                return Basic(self.door, self.directory, realm, self._settings.remember)

    def _verified(self, token: str) -> Verified:
        """Give the claims of a signed token, by ``auth0`` where it says so, else by ``jwt``."""
        slot = self._app.slot("auth0")
        if slot is None or not slot.it.issued(token):
            slot = self._app.slot("jwt")
        if slot is None:
            raise Refused("bearer", "no extension verifies tokens of this issuer", "invalid_token")
        try:
            claims: Mapping[str, Any] = slot.it.verify(token)
        except import_module("buttress.jwt").TokenRefused as refused:
            raise Refused("bearer", refused.reason, refused.error) from refused
        # A service that cannot sign takes tokens of others.
        own = slot.name == "jwt" and slot.it.verifier.keys.signing is not None
        if own:
            slot.it.renew(claims, "headers")
        return Verified(claims, own)

    def _key(self, purpose: bytes) -> bytes:
        """Derive a key from the service's secret; without one it holds for this process alone."""
        secret = self._app.secret_key
        if not secret:
            if self._app.mode == "production":
                logger.warning(
                    "Without SECRET_KEY no device is known to other processes, or after a restart."
                )
            return os.urandom(32)
        known = secret.encode() if isinstance(secret, str) else secret
        return hmac.new(known, b"buttress.auth." + purpose, sha256).digest()
