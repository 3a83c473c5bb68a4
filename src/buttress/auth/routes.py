"""What routes ask for: decorators of views and blueprints, and the default of a service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial, update_wrapper, wraps
from inspect import isclass, iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import Blueprint, current_app, request

from buttress.auth.policy import KNOWN, PUBLIC, Alternative, Policy, policy
from buttress.errors import ExtensionError
from buttress.service import Service

if TYPE_CHECKING:
    from flask import Flask

    from buttress.auth.principal import Principal

#: Where views and blueprints keep what they ask for.
POLICY = "__buttress_policy__"
#: Marks functions of which a closed view was made.
BARE = "__buttress_bare__"

F = TypeVar("F", bound="Callable[..., Any] | Blueprint")


def required(target: F) -> F:
    """Let a view, or every view of a blueprint, be called only by who is known."""
    return _asking(target, KNOWN)


def scopes(*all_of: str, any_of: Iterable[Alternative] = ()) -> Callable[[F], F]:
    """Let a view or a blueprint be called only with scopes: all of these, and one alternative.

    ``any_of`` lists alternatives, each one scope or several that are needed together. A scope
    that somebody holds may end in ``*``. Raises `ValueError` for what is no scope.
    """
    asked = policy(all_of, any_of)
    return lambda target: _asking(target, asked)


def public(target: F) -> F:
    """Open a view or a blueprint to everybody, inside one that is closed."""
    return _asking(target, PUBLIC)


def asked_by(app: Flask, endpoint: str | None) -> Policy | None:
    """Give what an endpoint asks for: what its view says, else the nearest of its blueprints."""
    if endpoint is None:
        return None
    places: list[object] = [app.view_functions.get(endpoint)]
    places += [app.blueprints.get(name) for name in _blueprints_of(endpoint)]
    return next((found for place in places if (found := getattr(place, POLICY, None))), None)


def policies(app: Flask) -> Iterator[tuple[str, Policy]]:
    """Name the views and blueprints that ask for something, with what they ask for."""
    views = {f"The view '{name}'": view for name, view in app.view_functions.items()}
    blueprints = {f"The blueprint '{name}'": it for name, it in app.blueprints.items()}
    for place, it in (*views.items(), *blueprints.items()):
        asked = getattr(it, POLICY, None)
        if asked is not None:
            yield place, asked


def bare(app: Flask) -> Iterator[str]:
    """Name the views that were registered without the policy that stands above their route."""
    for name, view in app.view_functions.items():
        if hasattr(view, BARE) and getattr(view, POLICY, None) is None:
            yield name


def demand(asked: Policy) -> Principal:
    """Let this request pass, or raise 401 or 403. Raises `ExtensionError` without ``auth``."""
    slot = current_app.slot("auth") if isinstance(current_app, Service) else None
    if slot is None:
        raise ExtensionError(
            "auth", f"{current_app.name} has a protected route, and no extension 'auth': add it."
        )
    return cast("Principal", slot.it.demand(asked))


def demand_of_route(default: Policy = PUBLIC) -> None:
    """Let this request pass by what its route asks for; a hook of blueprints and services."""
    endpoint = request.endpoint
    if endpoint is not None:
        asked = asked_by(current_app, endpoint) or default
        if not asked.public:
            demand(asked)


def _asking(target: F, asked: Policy) -> F:
    if getattr(target, POLICY, None) is not None:
        raise ValueError(f"{target!r} has two policies: write one decorator of auth.")
    if isinstance(target, Blueprint):
        setattr(target, POLICY, asked)
        target.before_request(demand_of_route)
        return target
    if isclass(target) or not callable(target):
        raise TypeError(
            f"{target!r} is neither a view nor a blueprint; a class of views takes decorators in "
            "its list `decorators`."
        )
    with suppress(AttributeError):  # methods of objects take no marks
        setattr(target, BARE, True)
    # The mark is not on the view itself, which may be closed elsewhere.
    opened = update_wrapper(partial(target), target)
    guarded = opened if asked.public else _guarded(target, asked)
    setattr(guarded, POLICY, asked)
    return cast("F", guarded)


def _guarded(view: Callable[..., Any], asked: Policy) -> Callable[..., Any]:
    """Wrap a view, so that it is closed wherever it is called from."""
    if iscoroutinefunction(view):

        @wraps(view)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            demand(asked)
            return await view(*args, **kwargs)

        return call_async

    @wraps(view)
    def call(*args: Any, **kwargs: Any) -> Any:
        demand(asked)
        return view(*args, **kwargs)

    return call


def _blueprints_of(endpoint: str) -> Iterator[str]:
    """Name the blueprints of an endpoint, the innermost first."""
    name, dot, _ = endpoint.rpartition(".")
    while dot:
        yield name
        name, dot, _ = name.rpartition(".")
