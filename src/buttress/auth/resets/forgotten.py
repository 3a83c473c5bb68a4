"""Forgotten passwords: a code goes to the user by mail, and with it they set a new one.

Nobody learns by it who is known: the name is looked for and the mail is sent after the answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeGuard

from buttress.auth.resets import ResetCodes, TooManyCodes
from buttress.auth.users import ELSEWHERE, LONGEST_PASSWORD, User, Users, is_password, normal
from buttress.lifecycle import Deadline

logger = logging.getLogger("buttress.auth")

#: Mails on their way at the same time, and those that may wait.
AT_ONCE, WAITING = 2, 1000
#: What is filled in.
CODE, NAME = "{code}", "{name}"
SUBJECT = "A new password"
TEXT = """\
Somebody has asked for a new password for {name}.

If that was you, this code sets one, within an hour and once:

    {code}

If it was not you, there is nothing to do: the password stays as it is.
"""


class ForgottenPasswords:
    """Send codes to users who have a password here, and set a new one for whoever has a code.

    ``mail`` sends a mail; threads of its own call it, so that nobody waits for that.
    """

    def __init__(self, users: Users, codes: ResetCodes, mail: Callable[..., object]) -> None:
        self._users = users
        self._codes = codes
        self._mail = mail
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="resets")
        self._waiting: set[Future[None]] = set()

    def send(self, name: str, *, subject: str = SUBJECT, text: str = TEXT) -> None:
        """Have a code sent to the user of a name, if there is one; nobody can tell.

        Raises `ValueError` for a text without ``{code}``.
        """
        if CODE not in text:
            raise ValueError(f"The text of the mail must have {CODE} where the code goes.")
        try:
            normal(name)
        except ValueError:
            return
        if len(self._waiting) >= WAITING:
            logger.error("Too many reset codes are asked for at once: one is not sent")
            return
        sending = self._threads.submit(self._send, name, subject, text)
        self._waiting.add(sending)
        sending.add_done_callback(self._waiting.discard)

    def use(self, name: str, code: str, password: str) -> User | None:
        """Set the password of the user whose code this is; ``None`` where it is not right.

        Raises `ValueError` for what can be no password; the code holds on then.
        """
        if not is_password(password):
            raise ValueError(f"A password has between 1 and {LONGEST_PASSWORD} characters.")
        user = self._users.get(name)
        holder = _holder(user) if _may(user) else ""  # nobody's code is looked for just the same
        if self._codes.redeem(holder, code, lambda: self._users.change_password(name, password)):
            return self._users.get(name)
        return None

    def drain(self, deadline: Deadline) -> None:
        """Wait for the mails that are on their way."""
        wait(self._waiting.copy(), deadline.left())

    def close(self) -> None:
        """Send no more."""
        self._threads.shutdown(cancel_futures=True)

    def _send(self, name: str, subject: str, text: str) -> None:
        try:
            user = self._users.get(name)
            if _may(user):
                self._send_to(user, subject, text)
        except TooManyCodes:
            logger.info("A user has got as many reset codes as there are in an hour")
        except Exception:
            logger.exception("A reset code could not be sent")

    def _send_to(self, user: User, subject: str, text: str) -> None:
        code = self._codes.issue(_holder(user))
        filled = text.replace(NAME, user.name).replace(CODE, code)
        try:
            self._mail(to=user.email, subject=subject, text=filled)
        except BaseException:
            self._codes.withdraw(_holder(user), code)
            raise


def _may(user: User | None) -> TypeGuard[User]:
    """Tell whether a user can have a code: one with an address, and a password of this service."""
    return (
        user is not None and user.active and user.email is not None and ELSEWHERE not in user.roles
    )


def _holder(user: User) -> str:
    """Name whose a code is: it ends with the password, the address, and the right to log in."""
    return f"{user.revision} {user.email} {user.id}"
