"""Log lines as JSON, one object each: Mozilla's shape, mozlog 2.0."""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping
from typing import Any

import orjson

from buttress.log.escape import escape_json
from buttress.log.record import extras_of, message_of, shown, traceback_of

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_SUBCLASS
#: Nested values deeper than this are written as text.
DEPTH = 8
_LEAST, _MOST = -(2**63), 2**64 - 1


class MozlogFormatter(logging.Formatter):
    """Write a record as ``Timestamp``, ``Type``, ``Logger``, …, and ``Fields`` with the rest."""

    def __init__(self) -> None:
        super().__init__()
        self._hostname = socket.gethostname()

    def format(self, record: logging.LogRecord) -> str:
        """Write one line, without its end."""
        service = getattr(record, "service", record.name)
        head = self.head(record.name, service, record.levelno, record.process)
        return line(record.created, head, _fields(record))

    def head(self, name: str, service: str, level: int, pid: int | None) -> str:
        """Write what many records of a logger have in common, for `line`."""
        members = encode(
            {
                "Type": name,
                "Logger": service,
                "Hostname": self._hostname,
                "EnvVersion": "2.0",
                "Severity": severity(level),
                "Pid": pid,
            }
        )
        return members[1:-1]


def line(created: float, head: str, fields: Mapping[str, Any]) -> str:
    """Put a line together; ``created`` is in seconds since 1970."""
    return f'{{"Timestamp":{int(created * 1_000_000_000)},{head},"Fields":{encode(fields)}}}'


def severity(level: int) -> int:
    """Give the syslog number of a level (RFC 5424): 2 for critical to 7 for debug."""
    for least, number in ((50, 2), (40, 3), (30, 4), (20, 6)):
        if level >= least:
            return number
    return 7


def encode(members: Mapping[str, Any]) -> str:
    """Write an object as JSON on one line, whatever the values are; secrets stay masked."""
    try:
        written = orjson.dumps(members, _plain, _OPTIONS)
    except TypeError:
        written = orjson.dumps(plain(members))
    return escape_json(written.decode())


def plain(value: Any, depth: int = 0) -> Any:
    """Turn a value into what JSON has; what is too deep, too large or strange becomes text."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and _LEAST <= value <= _MOST:
        return int(value)
    if isinstance(value, Mapping) and depth < DEPTH:
        return {_text(name): plain(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < DEPTH:
        return [plain(item, depth + 1) for item in value]
    return _text(value)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = {"msg": "", **extras_of(record)}
    fields["msg"] = message_of(record)
    rid = getattr(record, "rid", None)
    if rid is not None:
        fields["rid"] = rid
    trace = traceback_of(record)
    if trace:
        error = record.exc_info[1] if record.exc_info else None
        fields |= {"error": shown(error, repr), "traceback": trace}
    return fields


def _plain(value: object) -> object:
    """Turn what orjson does not know, one level of it, into what it knows."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if isinstance(value, bool | int | float):
        return plain(value)
    return _text(value)


def _text(value: object) -> str:
    return shown(value).encode("utf-8", "backslashreplace").decode()
