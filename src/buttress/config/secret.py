"""Secrets: text that never shows itself, and the rules for a good one."""

from __future__ import annotations

import re
from typing import Any

MASK = "********"
_WORDS = (
    "admin changeit changeme default dev development dummy example fixme foo insecure key letmein "
    "mykey mysecret mysecretkey none notasecret null passw0rd password placeholder production "
    "pwd replaceme secret secretkey sessionkey supersecret supersecretkey test testing thesecret "
    "todo token topsecret undefined verysecret yourkey yoursecret yoursecretkey 123456 12345678 "
    "1234567890"
)
WEAK_WORDS = frozenset(_WORDS.split())
_WEAK_PARTS = ("changeme", "replaceme", "notasecret", "yoursecret")
_SECRET_NAME = re.compile(
    r"SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|(TOKEN|APIKEY|(^|_)KEY|_PW|_DSN)S?$"
)
_URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):([^/\s]*)@")


class Secret(str):
    """Hold text that is masked wherever it is shown; ``reveal()`` gives the plain text."""

    __slots__ = ()

    def __new__(cls, text: str) -> Secret:
        return super().__new__(cls, text.reveal() if isinstance(text, Secret) else text)

    def reveal(self) -> str:
        """Give the plain text."""
        return str.__str__(self)

    def __repr__(self) -> str:
        return f"'{MASK}'"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)


class Revealed(str):
    """Hold a secret for libraries that want plain text; only its ``repr`` is masked.

    It is what ``app.config`` has, so that printing the configuration shows nothing.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{MASK}'"


def weakness(secret: Secret, min_length: int) -> str | None:
    """Say what makes a secret unfit for production, or ``None``; ``min_length`` is in bytes."""
    text = secret.reveal()
    if is_placeholder(text):
        return "is a placeholder"
    size = len(text.encode("utf-8", "surrogatepass"))
    if size < min_length:
        return f"is {size} bytes long and must have at least {min_length}"
    return None


def is_placeholder(text: str) -> bool:
    """Tell whether a text is one that people write where a secret has yet to go."""
    bare = text.strip()
    if re.fullmatch(r"<.*>|\$?\{.*\}|(.)\1*", bare, re.DOTALL):
        return True
    word = re.sub(r"[^a-z0-9]", "", bare.lower())
    unit = _period(word)
    return len(unit) == 1 or unit in WEAK_WORDS or any(part in word for part in _WEAK_PARTS)


def _period(word: str) -> str:
    """Give the shortest text whose repetition makes the word."""
    return word[: (word + word).find(word, 1)] if word else word


def display(key: str, value: object) -> str:
    """Show a value of a setting: secrets, secret-looking names and URL passwords are masked."""
    return repr(_masked(key, value))


def _masked(key: str, value: Any) -> object:
    if isinstance(value, dict):
        return {name: _masked(str(name).upper(), item) for name, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)([_masked(key, item) for item in value])
    if isinstance(value, Secret) or not isinstance(value, (str, bytes)):
        return value
    if value and _SECRET_NAME.search(key):
        return MASK
    return _URL_PASSWORD.sub(rf"\1:{MASK}@", value) if isinstance(value, str) else value


def plain(value: Any) -> object:
    """Make the secrets of a value usable by libraries, those in a list or tuple included."""
    if isinstance(value, Secret):
        return Revealed(value.reveal())
    if type(value) in (list, tuple):
        return type(value)([plain(item) for item in value])
    return value
