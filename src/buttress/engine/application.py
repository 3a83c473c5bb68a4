"""A Flask application whose requests take the compiled way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Self

from buttress.engine.compiled import STOOD_FOR, Compiled
from buttress.engine.flaskcompat import RegistrationGuard, StatusHandlers
from buttress.engine.jsonprovider import JSONProvider
from buttress.engine.watched import (
    WatchedMap,
    watched_hooks,
    watched_list,
    watched_table,
)

if TYPE_CHECKING:
    import flask
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from buttress.web.edge import Edge

_WATCHED: dict[str, Callable[[Any, Callable[[], object]], Any]] = {
    "after_request_funcs": watched_hooks,
    "before_request_funcs": watched_hooks,
    "teardown_appcontext_funcs": watched_list,
    "teardown_request_funcs": watched_hooks,
    "url_value_preprocessors": watched_hooks,
    "view_functions": watched_table,
}
_CHANGING = STOOD_FOR | _WATCHED.keys() | {
    "async_to_sync", "edge", "json", "request_class", "response_class", "session_interface",
    "subdomain_matching", "url_map",
}  # fmt: skip


class Compilation:
    """What an application was compiled to, until it changes."""

    def __init__(self) -> None:
        self.current: Compiled | None = None
        self._changes = 0
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Let the next request compile anew."""
        self._changes += 1
        self.current = None

    def renew(self, app: CompiledFlask) -> Compiled:
        """Compile; threads that come meanwhile wait for it."""
        with self._lock:
            app.end_setup()
            compiled = self.current
            while compiled is None:
                before = self._changes
                self.current = made = Compiled(app)
                if before == self._changes:
                    compiled = made
                else:
                    self.current = None
            return compiled


class CompiledFlask(RegistrationGuard, StatusHandlers):
    """A `flask.Flask` that does for a request only what this application needs.

    What that is stands in `compilation`; the ``wsgi_app`` of `buttress.Service` enters it there.
    """

    compilation: Compilation
    json_provider_class = JSONProvider
    url_map_class = WatchedMap
    #: What stands around the application; the first extension that needs it makes it.
    edge: Edge | None = None
    #: Whether it was copied from another, whose containers, and what watches them, it shares.
    is_copy = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:  # noqa: ARG004 -- for __init__
        """Be ready for attributes that a subclass sets before it calls ``__init__``."""
        app = super().__new__(cls)
        app.compilation = Compilation()
        return app

    def __copy__(self) -> Self:
        """Copy the application as Python would; Flask's own code answers the copy's requests."""
        made = self.__new__(type(self))
        made.__dict__.update({**self.__dict__, "compilation": made.compilation, "is_copy": True})
        return made

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; one that is compiled is watched from then on."""
        if name in _CHANGING:
            changed = self.compilation.forget
            if name in _WATCHED:
                value = _WATCHED[name](value, changed)
            elif isinstance(value, WatchedMap):
                value.changed = changed
            super().__setattr__(name, value)
            changed()
        else:
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        """Delete an attribute, such as a method that was replaced for a while."""
        super().__delattr__(name)
        self.compilation.forget()

    def uncompiled_wsgi_app(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer a request by Flask's own code."""
        return super().wsgi_app(environ, start_response)

    def answer_exit(self, error: SystemExit) -> tuple[BaseException, flask.Response]:
        """Answer a request in which something called ``exit()``, and say what that is taken for.

        Raises it again, as Flask does, where nothing else is said.
        """
        raise error
