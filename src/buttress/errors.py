"""The errors that Buttress raises, and the stable codes that it answers with.

::

    ButtressError
    ├── SetupError               a mistake to mend before the service can run
    │   ├── ConfigError          settings that are wrong, all of them at once
    │   ├── ExtensionError       an extension that is unknown, incomplete or misplaced
    │   ├── DiscoveryError       handlers that cannot be collected
    │   ├── AppNotFound          no application at the place that was named
    │   └── ServerError          a server that cannot be started as asked
    ├── NoSuchOption             a section or an option that an ini file does not have
    ├── TooManyRows              several rows where one was asked for
    ├── MessageError             a message that no queue can carry
    │   └── UnknownQueue         a queue that the broker does not have
    ├── Reject                   what a handler says of a message that is of no use
    ├── LifecycleError           a step that the state of the process does not allow
    ├── MailError                a mail that cannot be sent as it is
    └── Unhealthy                what a failing health check says

    werkzeug.exceptions.HTTPException
    └── Problem                  an answer with a stable code (RFC 9457)
        └── Unavailable          503: something that this service needs is down
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES


class Code(StrEnum):
    """Name the kinds of error answers; clients may rely on these words."""

    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    REQUEST_TIMEOUT = "request_timeout"
    CONFLICT = "conflict"
    GONE = "gone"
    LENGTH_REQUIRED = "length_required"
    PRECONDITION_FAILED = "precondition_failed"
    CONTENT_TOO_LARGE = "content_too_large"
    URI_TOO_LONG = "uri_too_long"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable"
    UNPROCESSABLE_CONTENT = "unprocessable_content"
    LOCKED = "locked"
    PRECONDITION_REQUIRED = "precondition_required"
    TOO_MANY_REQUESTS = "too_many_requests"
    HEADERS_TOO_LARGE = "headers_too_large"
    INTERNAL_ERROR = "internal_error"
    NOT_IMPLEMENTED = "not_implemented"
    BAD_GATEWAY = "bad_gateway"
    UNAVAILABLE = "unavailable"
    GATEWAY_TIMEOUT = "gateway_timeout"
    HTTP_ERROR = "http_error"

    @property
    def status(self) -> int | None:
        """Give the HTTP status that goes with this code; ``None`` for ``http_error``."""
        return _STATUS.get(self)

    @classmethod
    def for_status(cls, status: int) -> Code:
        """Find the code of a status; ``http_error`` where the status has none of its own."""
        return _CODES.get(status, cls.HTTP_ERROR)


_CODES: dict[int, Code] = {
    400: Code.BAD_REQUEST,
    401: Code.UNAUTHORIZED,
    403: Code.FORBIDDEN,
    404: Code.NOT_FOUND,
    405: Code.METHOD_NOT_ALLOWED,
    406: Code.NOT_ACCEPTABLE,
    408: Code.REQUEST_TIMEOUT,
    409: Code.CONFLICT,
    410: Code.GONE,
    411: Code.LENGTH_REQUIRED,
    412: Code.PRECONDITION_FAILED,
    413: Code.CONTENT_TOO_LARGE,
    414: Code.URI_TOO_LONG,
    415: Code.UNSUPPORTED_MEDIA_TYPE,
    416: Code.RANGE_NOT_SATISFIABLE,
    422: Code.UNPROCESSABLE_CONTENT,
    423: Code.LOCKED,
    428: Code.PRECONDITION_REQUIRED,
    429: Code.TOO_MANY_REQUESTS,
    431: Code.HEADERS_TOO_LARGE,
    500: Code.INTERNAL_ERROR,
    501: Code.NOT_IMPLEMENTED,
    502: Code.BAD_GATEWAY,
    503: Code.UNAVAILABLE,
    504: Code.GATEWAY_TIMEOUT,
}
_STATUS: dict[Code, int] = {code: status for status, code in _CODES.items()}


class ButtressError(Exception):
    """Raised when Buttress itself has something to say; the root of its own errors."""


class SetupError(ButtressError):
    """Raised when a mistake must be mended before the service can run.

    The command line prints the message, without a traceback, and exits with code 2.
    """


class ConfigError(SetupError):
    """Raised when settings are wrong; ``problems`` has one sentence for each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return self.problems[0]
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        return f"{len(self.problems)} settings are wrong:\n{lines}"


class ExtensionError(SetupError):
    """Raised when an extension is unknown, lacks a package, or cannot be built; see ``name``."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(name, message)
        self.name = name

    def __str__(self) -> str:
        return str(self.args[1])


class DiscoveryError(SetupError):
    """Raised when a module of handlers does not load or does not fit; see ``module``."""

    def __init__(self, module: str, message: str) -> None:
        super().__init__(module, message)
        self.module = module

    def __str__(self) -> str:
        return str(self.args[1])


class AppNotFound(SetupError):
    """Raised when no application is found; ``tried`` lists the places."""

    def __init__(self, message: str, tried: Sequence[str] = ()) -> None:
        super().__init__(message, tried)
        self.tried = tuple(tried)

    def __str__(self) -> str:
        return str(self.args[0])


class ServerError(SetupError):
    """Raised when a server is unknown, not installed, or cannot have its address."""


class NoSuchOption(ButtressError, KeyError):
    """Raised when a section or an option is asked for that an ini file does not have."""

    def __str__(self) -> str:
        return str(self.args[0])


class TooManyRows(ButtressError):
    """Raised when ``app.db.one`` finds several rows."""


class MessageError(ButtressError, ValueError):
    """Raised when a message cannot be sent as it is; nothing of it was sent."""


class UnknownQueue(MessageError):
    """Raised when a broker does not have a queue; see ``queue``."""

    def __init__(self, queue: str, message: str) -> None:
        super().__init__(queue, message)
        self.queue = queue

    def __str__(self) -> str:
        return str(self.args[1])


class Reject(ButtressError):
    """Raised when a handler has no use for a message, now or later.

    It goes to the dead letters at once, with the text as the reason.
    """


class LifecycleError(ButtressError):
    """Raised when a step is taken that the state of the process does not allow."""


class MailError(ButtressError):
    """Raised when a mail cannot be sent as it is, now or later; nothing was sent.

    ``refused`` has the code and the text that the server answered, by recipient.
    """

    def __init__(self, text: str, refused: Mapping[str, tuple[int, str]] | None = None) -> None:
        super().__init__(text)
        self.refused = dict(refused or {})


class Unhealthy(ButtressError):
    """Raised when a check finds that something does not work; the heartbeat shows the text.

    It shows ``details`` beside it, which must be JSON.
    """

    def __init__(self, text: str, **details: Any) -> None:
        super().__init__(text)
        self.details = details


class Problem(HTTPException):
    """Raised when a handler answers with an error that has a stable code (RFC 9457).

    ``code_name`` may be one of `Code` or a service's own word, which then needs a ``status``.
    ``extra`` adds members to the problem document.
    """

    def __init__(
        self,
        code_name: Code | str,
        detail: str | None = None,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: object,
    ) -> None:
        super().__init__(detail)
        self.code = _status_of(code_name, status)
        self.code_name = str(code_name)
        self.headers = dict(headers or {})
        self.extra = extra

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).__new__, (type(self),), self.__dict__

    @property
    def name(self) -> str:
        """Give the standard phrase of the status."""
        return HTTP_STATUS_CODES.get(self.code or 500, "Unknown Error")

    def get_headers(self, environ: Any = None, scope: Any = None) -> list[tuple[str, str]]:
        """Give the headers of the answer, those of this error included."""
        return [*super().get_headers(environ, scope), *self.headers.items()]


def _status_of(code_name: Code | str, status: int | None) -> int:
    known = code_name.status if isinstance(code_name, Code) else None
    chosen = status or known
    if chosen is None:
        raise TypeError(f"Problem({code_name!r}) needs a status, such as status=409")
    return chosen


class Unavailable(Problem):
    """Raised when something that this service needs is down; answers 503 with ``Retry-After``.

    ``retry_after`` is in seconds.
    """

    def __init__(self, detail: str | None = None, *, retry_after: int = 5) -> None:
        super().__init__(Code.UNAVAILABLE, detail, headers={"Retry-After": str(retry_after)})
        self.retry_after = retry_after
