"""JSON as Flask's default provider reads and writes it, by compiled coders.

orjson writes and msgspec reads. What they cannot do, or do in another way, is left to Flask's own
provider, whose result or exception is then the one that is seen. One difference is known: orjson
writes a member of an `enum.Enum` as its value, which cannot be turned off. Flask refuses a plain
member, and writes what one of a mixed class is, ``str`` or ``int``, where its value is another.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any

import flask
import msgspec
import orjson
from flask.json.provider import DefaultJSONProvider
from werkzeug.utils import get_content_type

from buttress.engine.flaskcompat import plain_response
from buttress.engine.lazy import lazy

if TYPE_CHECKING:
    from flask.wrappers import Response

__all__ = ["JSONProvider", "content_type_of"]

_flask_default = DefaultJSONProvider.default
_flask_dumps = DefaultJSONProvider.dumps

_UNSORTED = (
    orjson.OPT_APPEND_NEWLINE
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_SORTED = _UNSORTED | orjson.OPT_SORT_KEYS

#: MessagePack shows the bits of every float. These are NaN and infinity, which orjson writes as
#: null; and those with what is smaller than 1e-4, which it may write as 0.00001 or 1e-6, where
#: Python has 1e-05 and 1e-06. The bits of other numbers look so by chance, hence a second look.
_nonfinite = re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]").search
_suspect = re.compile(rb"\xcb(?:[\x7f\xff][\xf0-\xff]|[\x3e\xbe]|[\x3f\xbf][\x00-\x1a])").search
_short_exponent = re.compile(rb"e-\d[,\]}\n]").search
_leading_zeros = re.compile(rb"0(?<!\d0)\.0000").search


def _ignore(value: object) -> None:
    """Pass over a value that MessagePack does not know, except one that only orjson writes."""
    if type(value) is orjson.Fragment:
        raise TypeError("Object of type Fragment is not JSON serializable")


_pack = msgspec.msgpack.Encoder(enc_hook=_ignore).encode
_unpack_json = msgspec.json.Decoder().decode


def _convert(value: object) -> object:
    """Give what Flask writes in place of a value that orjson does not know."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (int, float, list, tuple, dict)):
        raise TypeError("a subclass is left to the standard library")
    converted = _flask_default(value)
    if type(converted) is dict and _suspect(_pack(converted)):
        raise TypeError("a dataclass with an odd float is left to the standard library")
    return converted


def _quick(obj: object, options: int) -> bytes | None:
    """Give what orjson writes, or ``None`` where Flask's provider may write something else."""
    try:
        data = orjson.dumps(obj, _convert, options)
        packed = _pack(obj)
    except Exception as failure:  # noqa: BLE001 -- Flask's provider meets it again, and decides
        # orjson wraps whatever a conversion raises, an interruption too.
        if isinstance(failure.__cause__, (KeyboardInterrupt, SystemExit, GeneratorExit)):
            raise failure.__cause__ from None
        return None
    if 0xCB not in packed or not _suspect(packed):
        return data
    odd = _nonfinite(packed) or _short_exponent(data) or _leading_zeros(data)
    return None if odd else data


def _in_ascii(data: bytes) -> bytes:
    """Escape in a line of JSON what the standard library escapes, DEL included.

    It is escaped whole, as though it were a string; then its own quotes and backslashes, which no
    longer need it, are set free again.
    """
    escaped = encode_basestring_ascii(data[:-1].decode())[1:-1]
    return b"%b\n" % escaped.replace('\\"', '"').replace("\\\\", "\\").encode()


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError("a number is too large")
    return value


@lru_cache(maxsize=64)
def content_type_of(mimetype: str) -> str:
    """Give the content type that `flask.Response` makes of a media type."""
    return get_content_type(mimetype, "utf-8")


class JSONProvider(DefaultJSONProvider):
    """Flask's default provider, made faster, and strict in what it reads.

    The ``dumps`` or ``default`` of a subclass or of an instance is used where there is one.
    """

    _app: flask.Flask

    def __init__(self, app: flask.Flask) -> None:
        super().__init__(app)
        self._config = app.config

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute, and forget what followed from it."""
        super().__setattr__(name, value)
        self._forget()

    def __delattr__(self, name: str) -> None:
        """Delete an attribute, and forget what followed from it."""
        super().__delattr__(name)
        self._forget()

    def _forget(self) -> None:
        self.__dict__.pop("_options", None)
        compilation = getattr(self.__dict__.get("_app"), "compilation", None)
        if compilation is not None:
            compilation.forget()

    @lazy
    def _options(self) -> int | None:
        """How orjson is to write; ``None`` where a subclass or the instance has its own way."""
        own = "dumps" in self.__dict__ or type(self).dumps is not _flask_dumps
        if own or self.default is not _flask_default:
            return None
        return _SORTED if self.sort_keys else _UNSORTED

    def body(self, obj: Any) -> bytes:
        """Give the bytes of the answer that `response` makes of an object."""
        compact, options = self.compact, self._options
        if compact is None:
            compact = not self._config["DEBUG"]
        if compact and options is not None:
            data = _quick(obj, options)
            if data is not None:
                plain = not self.ensure_ascii or (data.isascii() and 0x7F not in data)
                return data if plain else _in_ascii(data)
        style = {"indent": 2} if compact is False else {"separators": (",", ":")}
        return f"{self.dumps(obj, **style)}\n".encode()

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Make a response of one value, of several as a list, or of keywords as an object.

        A response class of the application's own gets text, as it does from Flask.
        """
        data = self.body(self._prepare_response_obj(args, kwargs))
        kind = self._app.response_class
        if kind is not flask.Response:
            return kind(data.decode(), mimetype=self.mimetype)
        headers = [
            ("Content-Type", content_type_of(self.mimetype)),
            ("Content-Length", str(len(data))),
        ]
        return plain_response(kind, ("200 OK", 200), headers, [data])

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Read JSON from a text, or from bytes in UTF-8, UTF-16 or UTF-32.

        Keyword arguments are those of `json.loads`. Raises ValueError also for ``NaN``,
        ``Infinity``, a number that is too large for a float, and nesting that is too deep.
        """
        if kwargs or type(s) not in (bytes, str):
            return self._read_strictly(s, **kwargs)
        try:
            return _unpack_json(s)
        except (ValueError, RecursionError):
            # Flask may read it all the same: UTF-16, a byte order mark, a lone surrogate.
            return self._read_strictly(s)

    def _read_strictly(self, s: str | bytes, **kwargs: Any) -> Any:
        try:
            return super().loads(s, **{"parse_constant": _refuse, "parse_float": _finite} | kwargs)
        except RecursionError:
            raise ValueError("the JSON is nested too deeply") from None
