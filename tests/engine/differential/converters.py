"""URL converters of the population's own, and values for all of them."""

from __future__ import annotations

from typing import Any

from werkzeug.exceptions import Gone
from werkzeug.routing import BaseConverter, ValidationError


class Pair(BaseConverter):
    """Match across a slash."""

    regex = r"[a-z]+/[0-9]+"
    part_isolating = False
    weight = 50

    def to_python(self, value: str) -> Any:
        """Split the two."""
        word, _, number = value.partition("/")
        return word, int(number)

    def to_url(self, value: Any) -> str:
        """Join the two."""
        return f"{value[0]}/{value[1]}"


class Picky(BaseConverter):
    """Refuse some values, in three ways."""

    def to_python(self, value: str) -> str:
        """Raise what the value names."""
        if value == "invalid":
            raise ValidationError(value)
        if value == "wrong":
            raise ValueError(value)
        if value == "gone":
            raise Gone(value)
        return value.upper()


class Choice(BaseConverter):
    """Take arguments and the map."""

    def __init__(self, url_map: Any, *words: str, weight: int = 100) -> None:
        super().__init__(url_map)
        self.regex = f"(?:{'|'.join(words)})"
        self.weight = weight


class Greedy(BaseConverter):
    """Match anything, line breaks, slashes and nothing at all included."""

    regex = r"(?s:.*)"
    weight = 300
    part_isolating = False


CONVERTERS: dict[str, type[BaseConverter]] = {
    "pair": Pair,
    "picky": Picky,
    "choice": Choice,
    "greedy": Greedy,
}
UUID = "12345678-1234-5678-1234-567812345678"

#: Texts that stand for a variable part of a rule, good and bad.
VALUES = (
    *("a", "b", "ab", "abc", "abcde", "ABC", "é", "a.b", "a-b", "x_3", "12-x", "c d", "a/1"),
    *("1", "7", "07", "007", "42", "50", "51", "-3", "+3", "1.5", "-0.5", "2.", ".5", "1e5", "٣"),
    *("", "/", "a/b", "a//b", "a/b/", "../x", ".", "%", "%2F", "\x00", "\n", "a\n", "?", "#", "|"),
    *(UUID, UUID.upper(), "invalid", "wrong", "gone", "ok", "red", "9" * 30, "9" * 5000, "\udcff"),
)
