"""The lines of one ini file: sections and options as they are written, not yet typed."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from buttress.config.given import shown
from buttress.errors import ConfigError

_HEADER = re.compile(r"\[([^\[\]]+)\]\s*(?:[;#].*)?")
_DELIMITER = re.compile(r"[=:]")


class Line(msgspec.Struct):
    """Hold one option as written: where, the value behind the ``=``, and the lines below it."""

    path: Path
    number: int
    indent: int
    first: str
    rest: list[tuple[int, str]] = msgspec.field(default_factory=list)

    @property
    def origin(self) -> str:
        """Give ``file:line``."""
        return f"{shown(self.path)}:{self.number}"

    @property
    def rows(self) -> list[tuple[int, str]]:
        """List every line of the value with its number."""
        return [(self.number, self.first), *self.rest]

    def says(self) -> list[str]:
        """Give the value, for comparing two of them."""
        return [row.strip() for _, row in self.rows]


Lines = dict[str, dict[str, Line]]


def parse(path: Path) -> tuple[Lines, list[str]]:
    """Read one file into its sections of options, and its mistakes, one sentence each."""
    parser = _Parser(path)
    try:
        text = read_text(path).replace("\r\n", "\n").replace("\r", "\n")
    except ConfigError as error:
        return {}, list(error.problems)
    for number, raw in enumerate(text.split("\n"), 1):
        if raw.strip() and raw.lstrip()[0] not in "#;":
            parser.feed(number, raw)
    return parser.close(), parser.problems


def read_text(path: Path) -> str:
    """Read a UTF-8 file, with or without a byte-order mark; raises `ConfigError`."""
    try:
        return path.read_bytes().decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ConfigError(
            [f"{shown(path)} is not UTF-8: the byte at offset {error.start} does not belong there"]
        ) from error
    except OSError as error:
        raise ConfigError([f"{shown(path)} cannot be read: {error.strerror}"]) from error


class _Parser:
    """Turn lines into sections; a line that is indented more than its option continues it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        self.lines: Lines = {}
        self.section: dict[str, Line] | None = None
        self.option: tuple[str, Line] | None = None

    def feed(self, number: int, raw: str) -> None:
        indent = len(raw) - len(raw.lstrip())
        if self.option is not None and indent > self.option[1].indent:
            self.option[1].rest.append((number, raw))
            return
        self.finish()
        if raw.lstrip().startswith("["):
            self.header(number, raw.strip())
        else:
            self.begin(number, indent, raw)

    def header(self, number: int, text: str) -> None:
        found = _HEADER.fullmatch(text)
        if found is None or not found[1].strip():
            self.problem(number, "a section is written [name]")
        self.section = self.lines.setdefault(found[1].strip() if found else text, {})

    def begin(self, number: int, indent: int, raw: str) -> None:
        parts = _DELIMITER.split(raw, maxsplit=1)
        key = parts[0].strip().lower()
        if len(parts) == 1 or not key:
            self.problem(number, "this is not a [section], a key = value or a comment")
        elif self.section is None:
            self.problem(number, f"{key} stands before any [section]")
        else:
            self.option = key, Line(self.path, number, indent, parts[1])

    def finish(self) -> None:
        """Put the option that is being read where it belongs, once its last line is known."""
        if self.option is None or self.section is None:
            return
        (key, line), self.option = self.option, None
        earlier = self.section.setdefault(key, line)
        if earlier is not line and earlier.says() != line.says():
            self.problem(line.number, f"{key} differs from line {earlier.number}; keep one of them")

    def close(self) -> Lines:
        self.finish()
        return self.lines

    def problem(self, number: int, sentence: str) -> None:
        self.problems.append(f"{shown(self.path)}:{number}: {sentence}")
