"""What ``app.limiter`` is: Flask-Limiter, of which a limit that cannot be read is an error."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache, partial
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any, ParamSpec, TypeVar, cast

import flask_limiter
from flask import Flask, Response, after_this_request, request

from buttress.limiter.settings import problem_of

P = ParamSpec("P")
R = TypeVar("R")

#: Bits of an IPv6 address that one customer of a network shares with nobody (RFC 6177).
OWN_BITS = 64


def _as_typed(_: Callable[P, R]) -> Callable[[Callable[..., R]], Callable[P, R]]:
    """Give a method the signature of the one that it passes its arguments to."""
    return lambda method: method


#: Where Flask-Limiter's manager has the limits that are looked for before every view.
_OF_ALL = ("_application_limits", "_default_limits", "_blueprint_limits")


class Limiter(flask_limiter.Limiter):
    """Flask-Limiter's own, as its users know it.

    A limit that it cannot read raises `ValueError` at once, and in a request `RuntimeError` where a
    function gives it; on its own it would be logged with every request, and not hold. Requests for
    which no limit is looked for pass quickly, which is all others where only views have some.
    """

    def init_app(self, app: Flask) -> None:
        """Limit an application; only an answer that a limit was looked for is finished."""
        after, teardown = app.after_request_funcs[None], app.teardown_request_funcs[None]
        known = len(after), len(teardown)
        super().init_app(app)
        self._finishers = cast(list[Callable[[Response], Response]], after[known[0] :])
        # What the latter forgets ends with the request by itself.
        del after[known[0] :], teardown[known[1] :]

    @_as_typed(flask_limiter.Limiter.limit)
    def limit(self, limit_value: Any, **options: Any) -> Any:
        """Limit a view, a blueprint or a block."""
        return super().limit(_checked(limit_value), **options)

    @_as_typed(flask_limiter.Limiter.shared_limit)
    def shared_limit(self, limit_value: Any, *scope: Any, **options: Any) -> Any:
        """Limit several views together."""
        return super().shared_limit(_checked(limit_value), *scope, **options)

    def _check_request_limit(
        self, callable_name: str | None = None, in_middleware: bool = True
    ) -> None:
        """Look for limits; before a view only where there can be some."""
        if not in_middleware or self._limits_more_than_views():
            seen = vars(self.context)
            if "answered" not in seen:
                seen["answered"] = after_this_request(self._finish)
            super()._check_request_limit(callable_name, in_middleware)

    def _limits_more_than_views(self) -> bool:
        # Under another name in a later version they are taken to be there.
        manager = self.limit_manager
        return bool(self._meta_limits) or any(getattr(manager, name, True) for name in _OF_ALL)

    def _finish(self, response: Response) -> Response:
        """Do with an answer what Flask-Limiter does, and say when a client may come back."""
        for finish in self._finishers:
            response = finish(response)
        limit = self.current_limit
        if limit is not None and limit.breached and "Retry-After" not in response.headers:
            response.headers["Retry-After"] = str(max(1, limit.reset_at - int(time.time())))
        return response


def client() -> str:
    """Tell clients apart, by their address; of IPv6 by the network of 64 bits that it is in."""
    return _customer(request.remote_addr or "unknown")


@lru_cache(maxsize=4096)
def _customer(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((int(found), OWN_BITS), strict=False))


def _checked(limit_value: Any) -> Any:
    if callable(limit_value):
        return partial(_given, limit_value)
    problem = problem_of(limit_value)
    if problem is not None:
        raise ValueError(problem)
    return limit_value


def _given(limits: Callable[[], str]) -> str:
    """Ask for limits, which may be none. On a `ValueError` Flask-Limiter would let everybody in."""
    try:
        found = limits()
        return found and str(_checked(found))
    except ValueError as error:
        raise RuntimeError(f"A limit cannot be read: {error}") from error
