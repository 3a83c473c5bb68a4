"""The door: names and passwords are checked here, and nobody may try for long."""

from __future__ import annotations

import hmac
import ipaddress
import logging
import math
import secrets
import time
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import NamedTuple

from buttress.auth.attempts import Attempts, Pace, key_of
from buttress.auth.users import User, Users, is_password, normal
from buttress.errors import Code, Problem

logger = logging.getLogger("buttress.auth")

#: For an account, from devices that are not known: at most about 70 an hour.
ACCOUNT = Pace(free=5, most=100, longest=60.0)
#: For an account from one network, or from a device that somebody has logged in from before: at
#: most about 25 an hour, and never more than five minutes to wait.
NETWORK = DEVICE = Pace(free=5, most=100, longest=300.0)
#: Attempts between two looks for what may be forgotten.
FORGET_AFTER = 500


class Caller(NamedTuple):
    """Where an attempt comes from: an address, and the mark of a known device."""

    address: str
    device: str | None = None


class Door:
    """Let in who knows a password; count attempts for each account, network and known device.

    ``key`` signs the marks of devices. ``now`` is seconds since 1970.
    """

    def __init__(
        self,
        users: Users,
        attempts: Attempts,
        key: bytes,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._users = users
        self._attempts = attempts
        self._key = key
        self._now = now
        self._tried = 0

    def enter(self, name: str, password: str, caller: Caller) -> User | None:
        """Give the user whose password this is; ``None`` for a wrong one or an unknown name.

        Raises `Problem` 429 where there were too many attempts, and then the password is not
        looked at; and `Unavailable` while the users cannot be asked, which is no attempt.
        """
        if not is_password(password):
            return None  # it cannot be one, whose ever; to count this would fill the store for free
        return self.attempt(name, caller, lambda: self._users.authenticate(name, password))

    def attempt(self, name: str, caller: Caller, look: Callable[[], User | None]) -> User | None:
        """Look whether somebody is the user of a name, by a password or otherwise, and count it.

        Raises `Problem` 429 where there were too many attempts, and then it does not look; and
        what ``look`` raises, which is no attempt.
        """
        keys = self._take(_account(name), caller)
        try:
            user = look()
        except BaseException:
            self._give_back(keys)
            raise
        if user is None:
            logger.info("A login failed from %s", caller.address)
        else:
            self._give_back(keys)
        return user

    def look_again(self, name: str, password: str) -> User | None:
        """Tell whether a password still is right that was so lately; that is no attempt."""
        return self._users.authenticate(name, password)

    def device_of(self, user: User) -> str:
        """Make the mark of a device from which a user has logged in, to be kept there."""
        device = secrets.token_urlsafe(12)
        return f"{device}.{self._sign(_account(user.name), device)}"

    def _take(self, account: str, caller: Caller) -> list[str]:
        """Count an attempt; gives the keys it is counted under."""
        now = self._now()
        self._tried += 1
        if self._tried % FORGET_AFTER == 0:
            self._attempts.forget(now)
        device = self._known(account, caller.device)
        if device is not None:
            paces = {key_of("device", account, device): DEVICE}
        else:
            network = key_of("network", account, _network(caller.address))
            paces = {network: NETWORK, key_of("account", account): ACCOUNT}
        taken: list[str] = []
        for key, pace in paces.items():
            wait = self._attempts.take(key, pace, now)
            if wait > 0:
                self._give_back(taken)
                logger.warning("Logins to an account are slowed down, from %s", caller.address)
                seconds = str(math.ceil(wait))
                raise Problem(
                    Code.TOO_MANY_REQUESTS,
                    "There were too many attempts: try again later.",
                    headers={"Retry-After": seconds},
                )
            taken.append(key)
        return taken

    def _give_back(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._attempts.give_back(key)

    def _known(self, account: str, mark: str | None) -> str | None:
        """Give the id of a device that is known for this account."""
        device, _, signature = (mark or "").partition(".")
        expected = self._sign(account, device)
        return device if hmac.compare_digest(signature.encode(), expected.encode()) else None

    def _sign(self, account: str, device: str) -> str:
        text = f"device\0{account}\0{device}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, text, sha256).hexdigest()


def _account(name: str) -> str:
    try:
        return normal(name)
    except ValueError:
        return str(name)[:256].encode("utf-8", "replace").decode()


def _network(address: str) -> str:
    """Give the network of an address: one host may have many addresses in it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    bits = 24 if found.version == 4 else 64
    return str(ipaddress.ip_network((found, bits), strict=False))
