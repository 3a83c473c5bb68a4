"""Users that another service knows: it is asked who has a name and a password."""

from __future__ import annotations

import base64
import hmac
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NoReturn
from urllib.parse import urlsplit

import msgspec
import requests

from buttress.auth.recent import Recent
from buttress.auth.users import UnknownUser, User, Users, UsersReadOnly, is_password, normal
from buttress.auth.users.proxy_settings import ProxySettings
from buttress.errors import Unavailable
from buttress.loopback import is_loopback
from buttress.web import current_deadline

logger = logging.getLogger("buttress.auth")

#: Logins that are remembered at a time.
SIZE = 10_000
#: Bytes that an answer may have.
LONGEST_ANSWER = 64 * 1024
#: What is raised by a service that does not answer, or whose answer is none.
FAILURES = (requests.RequestException, msgspec.DecodeError, ValueError, RecursionError)
DOWN = "It cannot be found out at the moment who you are."


class _Answer(msgspec.Struct):
    """Who somebody is, as the service says it."""

    id: str | int | None = None
    userid: str | int | None = None
    name: str | None = None
    email: str | None = None
    roles: tuple[str, ...] = ()


class ProxyUsers(Users):
    """Ask a service who somebody is, by ``GET`` with HTTP Basic.

    It answers 200 with ``{"id", "name", "email", "roles"}``, of which ``id`` (or ``userid``) must
    be there, and 401 or 403 for a wrong name or password. It is not told who is asked for without
    a password, so only `authenticate` finds anybody. ``now`` is a clock in seconds.
    """

    name = "proxy"

    def __init__(
        self, url: str, settings: ProxySettings, now: Callable[[], float] = time.monotonic
    ) -> None:
        check_url(url)
        self._url = url
        self._settings = settings
        self._recent: Recent[bytes, User] = Recent(SIZE, settings.remember, now)
        self._key = os.urandom(32)
        self._session = requests.Session()
        # Neither .netrc, a proxy of the environment nor a cookie has a say in who somebody is.
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._session.verify = True if settings.ca_file is None else str(settings.ca_file)
        self._session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})

    def authenticate(self, name: str, password: str) -> User | None:
        """Ask who this is, unless that is remembered; a refusal never is."""
        if not is_password(password):
            return None
        try:
            known_as, secret = normal(name), password.encode()
        except ValueError:
            return None
        mark = hmac.digest(self._key, known_as.encode() + b"\0" + secret, sha256)
        user = self._recent.get(mark)
        if user is None:
            user = self._ask(known_as, _basic(known_as, secret))
            if user is not None:
                self._recent.put(mark, user)
        return user

    def get(self, name: str) -> User | None:
        """Find nobody: the service is asked with a password only."""
        return None

    def create(
        self, name: str, password: str, *, email: str | None = None, roles: Iterable[str] = ()
    ) -> User:
        """Refuse: users are made elsewhere."""
        _refuse()

    def update(self, name: str, **changes: Any) -> User:
        """Refuse: users are changed elsewhere."""
        _refuse()

    def change_password(self, name: str, password: str, *, old: str | None = None) -> bool:
        """Refuse: passwords are changed elsewhere."""
        _refuse()

    def delete(self, name: str) -> bool:
        """Refuse: users are removed elsewhere."""
        _refuse()

    def info(self, name: str) -> Mapping[str, Any]:
        """Know nobody: the service is asked with a password only."""
        raise UnknownUser(
            f"Another service knows the users, and tells of {name!r} with a password only."
        )

    def all(self, limit: int = 1000) -> list[User]:
        """Refuse: the service lists nobody."""
        _refuse()

    def ping(self) -> None:
        """Ask without a password, which the service must refuse."""
        if self._ask("nobody", {}) is not None:
            raise self._unavailable("it knows somebody without a password")

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _ask(self, name: str, headers: Mapping[str, str]) -> User | None:
        seconds = self._seconds()
        try:
            with self._session.get(
                self._url,
                headers=headers,
                timeout=(seconds, seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                return self._read(name, response)
        except FAILURES as error:
            raise self._unavailable(f"{error}") from error

    def _read(self, name: str, response: requests.Response) -> User | None:
        """Give the user of an answer. Raises `ValueError` for one that is none."""
        if response.status_code in (401, 403):
            _content(response)
            return None
        if response.status_code != 200:
            raise ValueError(f"it answers {response.status_code}")
        answer = msgspec.json.decode(_content(response), type=_Answer)
        known_as = answer.userid if answer.id is None else answer.id
        if known_as in (None, ""):
            raise ValueError("its answer has no id")
        return User(
            id=str(known_as),
            name=normal(answer.name or name),
            email=answer.email or None,
            roles=frozenset(answer.roles),
        )

    def _seconds(self) -> float:
        """Give the time for a question: less where somebody waits no longer."""
        deadline, most = current_deadline(), self._settings.timeout
        # 0 would be no time at all to requests, which refuses it.
        return most if deadline is None else max(min(most, deadline.left()), 0.001)

    def _unavailable(self, why: str) -> Unavailable:
        host = urlsplit(self._url).hostname
        logger.error("%s does not say who somebody is: %s", host, why)
        return Unavailable(DOWN)


def check_url(url: str) -> None:
    """Raise `ValueError`, which shows nothing of it, for an address that cannot be asked."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("is no URL: is there a bracket or a port that is none?") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be written as https://id.example/whoami")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("would send passwords in the clear: write https://")
    if parts.username or parts.password or parts.fragment:
        raise ValueError("must have no user, no password and no #")


def _basic(name: str, secret: bytes) -> dict[str, str]:
    """Write a login in UTF-8 (RFC 7617), which requests does not."""
    login = base64.b64encode(name.encode() + b":" + secret).decode()
    return {"Authorization": f"Basic {login}"}


def _content(response: requests.Response) -> bytes:
    """Read the body. Raises `ValueError` for one that is too long."""
    if "Content-Encoding" in response.headers:
        raise ValueError("its answer is compressed, which was not asked for")
    content = b""
    for part in response.iter_content(8192):
        content += part
        if len(content) > LONGEST_ANSWER:
            raise ValueError(f"its answer has more than {LONGEST_ANSWER} bytes")
    return content


def _refuse() -> NoReturn:
    raise UsersReadOnly("Another service knows the users: they are listed and changed there.")
