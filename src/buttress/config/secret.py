"""Secrets: text that never shows itself, and the rules for a good one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from hmac import compare_digest
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
    r"SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|(TOKEN|APIKEY|(^|_)(KEY|PASS|PWD|PW)|_DSN)S?$"
)
_URL_PASSWORD = re.compile(r"(?<=://)([^\s:/]*):\S*@")
_PAIR_NAME = re.compile(r"(?<![\w.-])[\w.-]+(?==)")
_CONTAINERS = (dict, list, tuple, set, frozenset)

Change = Callable[[str, Any], Any]


class Secret:
    """Hold text that is masked wherever it is shown; ``reveal()`` gives the plain text.

    It is no string, so that nothing which takes strings writes it out by chance. It equals only
    another secret, which is compared in constant time.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str | Secret) -> None:
        self._text = text.reveal() if isinstance(text, Secret) else text

    def reveal(self) -> str:
        """Give the plain text."""
        return self._text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return compare_digest(_octets(self._text), _octets(other._text))

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __len__(self) -> int:
        return len(self._text)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return type(self), (self._text,)

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
    size = len(_octets(text))
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
    """Show a value of a setting.

    Secrets are masked, values under secret-looking names too, and passwords in URLs up to the
    last ``@``: a wrong one may hold any character.
    """
    return repr(walk(value, _masked, key))


def plain(value: object) -> object:
    """Make the secrets of a value usable by libraries, those inside containers included."""
    return walk(value, _revealed)


def secrets_in(value: object) -> list[Secret]:
    """Find every secret of a value, those inside containers included."""
    leaves: list[object] = []
    walk(value, lambda _, leaf: leaves.append(leaf))
    return [leaf for leaf in leaves if isinstance(leaf, Secret)]


def conceal(text: str, secrets: Iterable[str]) -> str:
    """Mask secrets in a text that somebody else wrote, also where it has their ``repr``.

    Longer ones go first, for one may hold another. Placeholders are words, and stay.
    """
    real = [one for one in secrets if not is_placeholder(one)]
    for form in sorted({*real, *(repr(one)[1:-1] for one in real)}, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def walk(value: Any, change: Change, key: str = "") -> Any:
    """Rebuild a value with ``change(key, leaf)`` in place of each leaf of its containers.

    The key is the nearest name, or one further out that looks secret. A container in which
    nothing changes is given as it is, whatever its class.
    """
    if isinstance(value, dict):
        old = list(value.values())
        new = [walk(item, change, inner_key(key, name)) for name, item in value.items()]
    elif isinstance(value, _CONTAINERS):
        old = list(value)
        new = [walk(item, change, key) for item in old]
    else:
        return change(key, value)
    if all(before is after for before, after in zip(old, new, strict=True)):
        return value
    if isinstance(value, dict):
        return dict(zip(value, new, strict=True))
    return next(kind for kind in _CONTAINERS if isinstance(value, kind))(new)


def inner_key(key: str, name: object) -> str:
    """Give the key of what a container has under a name: the outer one where that looks secret."""
    return key if _SECRET_NAME.search(key) else _as_key(name)


def _masked(key: str, leaf: Any) -> object:
    if leaf is None or isinstance(leaf, (bool, Secret)):
        return leaf
    if _SECRET_NAME.search(key):
        return leaf if leaf in ("", b"") else MASK
    if isinstance(leaf, bytes):
        return _masked_text(leaf.decode("latin-1")).encode("latin-1")
    return _masked_text(leaf) if isinstance(leaf, str) else leaf


def _masked_text(text: str) -> str:
    text = _URL_PASSWORD.sub(rf"\1:{MASK}@", text)
    for name in set(_PAIR_NAME.findall(text)):
        if _SECRET_NAME.search(_as_key(name)):
            pair = rf"(?<![\w.-])({re.escape(name)})=('[^']*'|[^&\s]+)"
            text = re.sub(pair, rf"\1={MASK}", text)
    return text


def _as_key(name: object) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|-", "_", str(name)).upper()


def _revealed(_key: str, leaf: object) -> object:
    return Revealed(leaf.reveal()) if isinstance(leaf, Secret) else leaf


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
