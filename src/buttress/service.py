"""The application object: a Flask application that can boot, start, drain and close."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from flask import Flask

from buttress.engine.application import CompiledFlask
from buttress.errors import ExtensionError, LifecycleError
from buttress.extension import EXTENSIONS, PROVIDED_BY, Extension, Slot, Wanted
from buttress.lifecycle import Lifecycle, State
from buttress.loading import recorded

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from argon2 import PasswordHasher
    from flask.ctx import AppContext
    from flask.testing import FlaskClient, FlaskCliRunner
    from flask.wrappers import Response

    from buttress.auth.auth import Auth
    from buttress.auth0 import Auth0
    from buttress.cache import Cache
    from buttress.config import Configuration, Mode, Settings
    from buttress.db import Database
    from buttress.declare import Marked
    from buttress.health import Health
    from buttress.jwt import Jwt
    from buttress.limiter import Limiter
    from buttress.log import Log
    from buttress.mail import Mail
    from buttress.peers import External, Peer, Peers
    from buttress.pulse import Pulse
    from buttress.queues import Queues
    from buttress.schedule import Schedule
    from buttress.web.cors import Cors
    from buttress.web.extension import Web
    from buttress.web.security import Security
    from buttress.web.templates import Templates

logger = logging.getLogger("buttress.service")

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")


def _as_typed(_: Callable[P, R]) -> Callable[[Callable[..., R]], Callable[P, R]]:
    """Give a method the signature of the one that it passes its arguments to."""
    return lambda method: method


@dataclass(frozen=True)
class Plan:
    """What the caller asked for, kept until the boot."""

    env_prefix: str
    #: The boot: what is done to the service, in order.
    steps: tuple[Callable[[Service], object], ...]
    config: Mapping[str, Any] | None = None
    #: Settings that a façade's own parameters stand for.
    facade: Mapping[str, Any] = field(default_factory=dict)
    #: Settings that a façade has unless a file, the environment or the command line says otherwise.
    presets: Mapping[str, Any] = field(default_factory=dict)
    extensions: Sequence[Wanted] | None = None
    blueprint_modules: str | Sequence[str] | None = None
    #: Prefixes of environment variables that a façade reads by itself.
    reserves: tuple[str, ...] = ()


class Service(CompiledFlask):
    """A `flask.Flask` that is ready for production.

    ``Service(import_name, …)`` alone behaves as ``Flask(import_name, …)``; `create_app` and the
    façades give it a plan, and with it configuration, extensions and discovery.
    """

    plan: Plan | None = None
    settings: Settings
    configuration: Configuration

    if TYPE_CHECKING:
        log: Log
        web: Web
        security: Security
        cors: Cors
        templates: Templates
        health: Health
        cache: Cache
        db: Database
        auth: Auth
        jwt: Jwt
        auth0: Auth0
        limiter: Limiter
        peers: Peers
        mail: Mail
        queues: Queues
        pulse: Pulse
        schedule: Schedule
        # What extensions provide beside themselves.
        argon2: PasswordHasher
        generate_password_hash: Callable[[str], str]
        check_password_hash: Callable[[object, object], bool]
        peer: Callable[[str], Peer]
        external: External
        get_ses_client: Callable[[], Any]
        get_sqs_client: Callable[[], Any]
        get_sqs_queue_url: Callable[[str], str]
        send_sqs_message: Callable[..., dict[str, Any]]

    @_as_typed(Flask.__init__)
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lifecycle = Lifecycle(self.name)
        #: Extensions that the boot has loaded and not built yet.
        self.pending: list[Extension[Any, Any]] = []
        #: The functions that discovery found marked by `buttress.declare`.
        self.marked: list[Marked] = []
        #: Modules that failed to load in development, with their tracebacks.
        self.broken: dict[str, str] = {}
        #: Modules whose blueprint was registered by discovery, by the blueprint's name.
        self.discovered: dict[str, str] = {}

    @property
    def package(self) -> str:
        """Give the import name of the application's package."""
        return self.import_name

    @property
    def mode(self) -> Mode:
        """Give the mode: ``production``, ``development`` or ``testing``."""
        if self.plan is not None and "settings" in self.__dict__:
            return self.settings.service.mode
        return "testing" if self.testing else "development" if self.debug else "production"

    def preconfig(self) -> None:
        """Run before anything else of the boot; does nothing unless replaced."""

    def postconfig(self) -> None:
        """Run as the last step of the boot; does nothing unless replaced."""

    def announce(self) -> None:
        """Say that the service is up; a server calls this once its first worker is ready."""
        logger.info("%s is up", self.name)

    def boot_steps(self) -> Iterable[Callable[[], object]]:
        """Give the steps of the boot, in order; a façade has its own."""
        return [partial(step, self) for step in self.plan.steps] if self.plan else []

    def boot(self) -> None:
        """Run the boot, once. A bare service has none and raises `LifecycleError`."""
        if self.plan is None:
            raise LifecycleError(f"{self.name} is a bare Service: use create_app to have a boot.")
        self.lifecycle.boot(self._run_boot_steps)

    def _run_boot_steps(self) -> None:
        for step in self.boot_steps():
            step()

    def start(self) -> None:
        """Boot if need be, and start every extension in this process."""
        self.boot()
        self.lifecycle.start()
        self.compilation.renew(self)

    def close(self) -> None:
        """Release everything that the extensions hold; raises a group of all failures."""
        self.lifecycle.close()

    def slot(self, name: str) -> Slot | None:
        """Give the place of an extension by its name; ``None`` where it is not built."""
        for part in self.lifecycle.parts:
            if isinstance(part, Slot) and part.name == name:
                return part
        return None

    def use(self, extension: type[Extension[S, T]]) -> T:
        """Give what an extension of this service built, with its type.

        Raises `ExtensionError` where the service does not have it.
        """
        slot = self.slot(extension.name)
        if slot is None or not isinstance(slot.extension, extension):
            raise ExtensionError(extension.name, _not_here(self, extension.name))
        it: T = slot.it
        return it

    def may_register(self, what: str) -> bool:
        """Allow late registration in development; raise `LifecycleError` once others serve.

        A bare service is Flask's affair.
        """
        if self.plan is None or self.lifecycle.state in (State.OPEN, State.BOOTED):
            return False
        if self.mode == "development":
            return True
        raise LifecycleError(
            f"{self.name} is {self.lifecycle.state}, so {what}() comes too late: register "
            "before it serves, in a module that discovery loads or in postconfig()."
        )

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        """Answer a request, booting and starting first where a foreign container did not."""
        if not self.lifecycle.ready:
            self._make_ready()
        compiled = self.compilation.current or self.compilation.renew(self)
        try:
            return compiled(self, environ, start_response)
        except SystemExit as error:  # of a function that runs at the request's end
            self.refuse_exit(error)
            raise

    def full_dispatch_request(self) -> Response:
        """Answer a request as Flask does, except to ``exit()``."""
        try:
            return super().full_dispatch_request()
        except SystemExit as error:
            self.refuse_exit(error)
            raise

    def process_response(self, response: Response) -> Response:
        """Run the hooks of a response as Flask does, except for ``exit()``."""
        try:
            return super().process_response(response)
        except SystemExit as error:
            self.refuse_exit(error)
            raise

    def answer_exit(self, error: SystemExit) -> tuple[BaseException, Response]:
        """Answer a request in which something called ``exit()`` as one that failed."""
        try:
            self.refuse_exit(error)
        except RuntimeError as refused:
            return refused, self.handle_exception(refused)
        raise error

    def refuse_exit(self, error: SystemExit) -> None:
        """Make an ``exit()`` in a request an error like others.

        It would end the process with the requests of others, or none at all. A bare service
        leaves it as it is.
        """
        if self.plan is not None:
            raise RuntimeError(f"SystemExit({error.code!r}) was raised in a request") from error

    def _make_ready(self) -> None:
        lifecycle = self.lifecycle
        if self.plan is not None:
            self.boot()
            lifecycle.start(embedded=True)
        lifecycle.ready = True

    def app_context(self) -> AppContext:
        """Make Flask's application context; a ``flask`` command's first one boots the service."""
        still_open = self.plan is not None and self.lifecycle.state is State.OPEN
        if still_open and not self.lifecycle.booting and _under_flask_command():
            self.boot()
        return super().app_context()

    def test_client(self, use_cookies: bool = True, **kwargs: Any) -> FlaskClient:
        """Make Flask's test client; boots first where there is a boot."""
        if self.plan is not None:
            self.boot()
        return super().test_client(use_cookies, **kwargs)

    def test_cli_runner(self, **kwargs: Any) -> FlaskCliRunner:
        """Make Flask's runner of commands for tests; boots first where there is a boot."""
        if self.plan is not None:
            self.boot()
        return super().test_cli_runner(**kwargs)

    @_as_typed(Flask.run)
    def run(self, *args: Any, **kwargs: Any) -> None:
        """Run Flask's development server, unless a command is only loading the application."""
        if not recorded(self):
            super().run(*args, **kwargs)


class Absent:
    """An attribute that is not there, and says why; one of the instance takes its place.

    A ``__getattr__`` would make every attribute of the application slower to read.
    """

    def __init__(self, reason: Callable[[Any, str], str]) -> None:
        self._reason = reason

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, app: object | None, owner: type) -> Any:
        """Raise AttributeError with the reason."""
        if app is None:
            return self
        raise AttributeError(self._reason(app, self._name), name=self._name, obj=app)

    @classmethod
    def put(cls, owner: type, names: Iterable[str], reason: Callable[[Any, str], str]) -> None:
        """Let a class say why these attributes are not there."""
        for name in names:
            absent = cls(reason)
            absent.__set_name__(owner, name)
            setattr(owner, name, absent)


def _under_flask_command() -> bool:
    return os.environ.get("FLASK_RUN_FROM_CLI") == "true"


def _not_here(app: Service, name: str) -> str:
    extension = PROVIDED_BY.get(name, name)
    what = f"'{name}'" if extension == name else f"'{name}', for it has no '{extension}'"
    return f"{app.name} has no {what}: it is not among its extensions, or it has not booted."


Absent.put(Service, (*EXTENSIONS, *PROVIDED_BY), _not_here)
