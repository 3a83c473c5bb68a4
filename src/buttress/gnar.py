"""`GnarApp`, the interface that Gnar Gear documents: a way of composing a `Service`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from buttress import boot
from buttress.attachment import attach_instance, package_folder
from buttress.config import COMMAND_LINE, VAULT, instance_folder
from buttress.discovery import discover
from buttress.errors import ConfigError, ExtensionError, LifecycleError, SetupError
from buttress.extension import DEFAULT_EXTENSIONS
from buttress.loading import recorded
from buttress.service import Plan, Service
from buttress.serving import serve, serve_development
from buttress.web import install_errors, install_hooks

if TYPE_CHECKING:
    from argon2 import PasswordHasher

logger = logging.getLogger("buttress.gnar")

#: The run steps in their documented order: methods of `GnarApp`, each of which may be replaced.
RUN_STEPS = (
    "preconfig",
    "configure_flask",
    "configure_logger",
    "configure_argon2",
    "configure_database",
    "attach_instance",
    "configure_blueprints",
    "configure_errorhandler",
    "configure_jwt",
    "configure_sqs_polls",
    "configure_after_request",
    "postconfig",
)

#: The extensions that have a step of their own; `GnarApp.configure_flask` builds the others.
WITH_A_STEP = frozenset({"log", "auth", "db", "jwt", "queues", "schedule", "cors"})

#: What a GnarApp has beside the default extensions, each where its package is installed.
PACKAGES = {
    "limiter": "flask_limiter",
    "cache": "flask_caching",
    "db": "flask_sqlalchemy_lite",
    "auth": "argon2",
    "jwt": "flask_jwt_extended",
    "peers": "requests",
    "mail": "buttress",
    "queues": "buttress",
    "schedule": "apscheduler",
}

#: Keys of the extensions that it may lack; nobody is warned of them.
RESERVES = ("ARGON2_", "JWT_", "PG_", "SES_", "SQS_")

#: Settings that a GnarApp has unless a file, the environment or the command line says otherwise.
PRESETS = {"ERRORS_STYLE": "gnar", "LOG_STYLE": "text", "JWT_RENEW": True}
DEVELOPMENT_PRESETS = {
    "CORS_ORIGINS": "*",
    "CORS_EXPOSE_HEADERS": ("Authorization",),
}

Queues = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class GnarApp(Service):
    """A service of the package ``name``, as Gnar Gear's users write it.

    It stays open, so that steps can be replaced, until `run`, the command line, the test client
    or the first request boots it. ``production``, ``port`` and ``log_level`` beat files and the
    environment. Raises `ConfigError` for an argument of the wrong kind, and `SetupError` where
    there is no such package.
    """

    def __init__(
        self,
        name: str,
        production: bool,
        port: int,
        env_prefix: str = "GNAR",
        log_level: str | None = None,
        blueprint_modules: str | Sequence[str] | None = None,
        no_db: bool = False,
        no_jwt: bool = False,
        sqs: Queues | None = None,
    ) -> None:
        problems = list(_problems(production, sqs))
        if problems:
            raise ConfigError(problems)
        root_path = package_folder(name)
        super().__init__(name, instance_path=instance_folder(name), root_path=root_path)
        mode = COMMAND_LINE.get().get("MODE", "production" if production else "development")
        self.no_db = no_db
        self.no_jwt = no_jwt
        self.sqs = sqs
        self.plan = Plan(
            env_prefix=env_prefix.upper(),
            steps=tuple(_steps()),
            facade=_arguments(mode, port, log_level),
            presets=_presets(mode, Path(root_path)),
            extensions=_extensions(no_db, no_jwt),
            blueprint_modules=blueprint_modules,
            reserves=RESERVES,
        )

    @property
    def flask(self) -> GnarApp:
        """Give the Flask application, which is this object."""
        return self

    @property
    def display_name(self) -> str:
        """Give the name as log lines show it: ``my_app`` is ``MyApp``."""
        return self.name.title().replace("_", "")

    def env(self, name: str, default: str | None = None) -> str:
        """Read the environment variable ``<PREFIX>_<NAME>``; an empty one counts.

        Raises `ValueError` where it is not set and there is no default.
        """
        variable = f"{boot.planned(self).env_prefix}_{name}".upper()
        value = VAULT.over(os.environ).get(variable, default)
        if value is None:
            raise ValueError(f'Environment variable "{variable}" does not exist.')
        return value

    def run(self) -> None:  # type: ignore[override]  # Flask's arguments are settings here
        """Run the steps and serve until a signal; `SystemExit` tells of a failure.

        A command that is only loading the application gets it instead. Raises `LifecycleError`
        inside the boot of another application.
        """
        if recorded(self):
            return
        if self.lifecycle.booting:  # a development server would wait there for ever
            self.boot()
        if os.environ.get("FLASK_RUN_FROM_CLI") == "true":
            self.boot()
        elif code := _served(self):
            raise SystemExit(code)

    def configure_flask(self) -> None:
        """Load the configuration and build every extension that has no step of its own."""
        boot.configure(self)
        boot.build(self, [it.name for it in self.pending if it.name not in WITH_A_STEP])
        install_hooks(self)

    def configure_logger(self) -> None:
        """Attach the log to standard output, at the level that was chosen."""
        boot.build(self, ["log"])
        logger.info("Logging at %s", self.settings.log.level)
        boot.report_warnings(self)

    def configure_argon2(self) -> None:
        """Build the passwords and what stands on them, where argon2-cffi is installed."""
        boot.build(self, ["auth"])
        if self.slot("auth"):
            logger.info("Argon2 PasswordHasher instantiated with %s", _costs(self.argon2))

    def configure_database(self) -> None:
        """Build the database, unless ``no_db``, and what may live in it."""
        if not self.no_db:
            _build(self, "db", "pip install 'buttress[db]', or pass no_db=True")
        if self.slot("auth"):
            self.auth.settle()
        boot.build(self, ["queues", "schedule"] if self.slot("db") else ["queues"])

    def attach_instance(self) -> None:
        """Make this application importable: ``from <package>.app.main import app``."""
        attach_instance(self)

    def configure_blueprints(self) -> None:
        """Find the modules of the application and register their blueprints."""
        discover(self)

    def configure_errorhandler(self) -> None:
        """Answer every error in the style of ``ERRORS_STYLE``."""
        install_errors(self)

    def configure_jwt(self) -> None:
        """Build the JWT support, unless ``no_jwt``."""
        if not self.no_jwt:
            _build(self, "jwt", "pip install 'buttress[jwt]', or pass no_jwt=True")

    def configure_sqs_polls(self) -> None:
        """Poll the queues in ``sqs``, once the application has started."""
        if self.sqs:
            boot.build(self, ["queues"])
            self.queues.poll(self.sqs)

    def configure_after_request(self) -> None:
        """Build what answers foreign pages (CORS), open in development."""
        boot.build(self, ["cors"])

    def announce(self) -> None:
        """Log that the application is up, unless one of its modules did not load."""
        if not self.broken:
            server = " development server" if self.mode == "development" else ""
            logger.info("Gnar-%s%s is up", self.display_name, server)


def _steps() -> Iterator[Callable[[Any], object]]:
    for name in RUN_STEPS:
        yield methodcaller(name)
        if name in AFTER:
            yield AFTER[name]


def _refuse_unconfigured(app: GnarApp) -> None:
    """Tell whoever replaces `configure_flask` what the later steps need."""
    if "settings" not in app.__dict__:
        raise SetupError(
            f"configure_flask of {app.name} has loaded no configuration: call "
            "GnarApp.configure_flask(app) in your own. The Flask instance is the app itself."
        )


def _wrap_hasher(app: GnarApp) -> None:
    """Give the documented wrappers of a hasher that a step of the user's own has attached."""
    hasher = app.__dict__.get("argon2")
    if hasher is not None and app.slot("auth") is None:
        app.generate_password_hash = partial(_hashed, hasher)
        app.check_password_hash = partial(_is_right, hasher)


#: What is looked at after a step, whoever has written it.
AFTER: dict[str, Callable[[Any], object]] = {
    "configure_flask": _refuse_unconfigured,
    "configure_argon2": _wrap_hasher,
}


def _hashed(hasher: PasswordHasher, password: str) -> str:
    if not password:
        raise ValueError("Password cannot be empty")
    return hasher.hash(password)


def _is_right(hasher: PasswordHasher, hash: object, password: object) -> bool:
    try:
        return bool(password) and hasher.verify(hash, password)  # type: ignore[arg-type]  # whatever it is given
    except Exception:  # noqa: BLE001 -- it does not raise, whatever the hasher is
        return False


def _arguments(mode: object, port: int, log_level: str | None) -> dict[str, Any]:
    level = {} if log_level is None else {"LOG_LEVEL": log_level}
    return {"MODE": mode, "PORT": port, **level}


def _presets(mode: object, package: Path) -> dict[str, Any]:
    """Give the settings that hold where no source says otherwise.

    An application that has no migrations of its own does not know of ours: they run by themselves.
    """
    places = (package, package.parent)
    migrates = any(Path(it, "migrations/versions").is_dir() for it in places)
    own = {} if migrates else {"DB_MIGRATE": "upgrade"}
    return PRESETS | own | (DEVELOPMENT_PRESETS if mode == "development" else {})


def _problems(production: object, sqs: object) -> Iterator[str]:
    if not isinstance(production, bool):
        yield f"GnarApp: production={production!r} must be True or False."
    queues = sqs if isinstance(sqs, list | tuple) else [sqs]
    if sqs is not None and not all(isinstance(queue, Mapping) for queue in queues):
        yield f"GnarApp: sqs={sqs!r} must be a dict (queue_name, callback, …) or a list of them."


def _build(app: GnarApp, name: str, remedy: str) -> None:
    boot.build(app, [name])
    if app.slot(name) is None:
        raise ExtensionError(name, f"{app.name} needs the extension '{name}': {remedy}.")


def _costs(hasher: PasswordHasher) -> dict[str, int]:
    names = ("time_cost", "memory_cost", "parallelism", "hash_len", "salt_len")
    return {name: getattr(hasher, name) for name in names}


def _extensions(no_db: bool, no_jwt: bool) -> list[str]:
    found = {name for name, package in PACKAGES.items() if find_spec(package) is not None}
    if no_db or "db" not in found:
        found -= {"db", "schedule"}
    if no_jwt:
        found -= {"jwt"}
    return [*DEFAULT_EXTENSIONS, *found]


def _served(app: GnarApp) -> int:
    try:
        if boot.planned(app).facade["MODE"] == "development":
            return serve_development(lambda: _booted(app))
        return serve(app)
    except (SetupError, LifecycleError) as error:
        click.echo(f"buttress: {error}", err=True)
        return 2


def _booted(app: GnarApp) -> GnarApp:
    app.boot()
    return app
