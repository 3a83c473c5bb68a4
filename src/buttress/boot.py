"""How a service comes to life, readable top to bottom."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flask.helpers import get_debug_flag

from buttress import config as configuration
from buttress.attachment import attach_instance, package_folder
from buttress.config import COMMAND_LINE, SectionSpec, instance_folder
from buttress.discovery import discover
from buttress.errors import ExtensionError, LifecycleError
from buttress.extension import Extension, Slot, Wanted, in_required_order, load_extensions
from buttress.service import Absent, Plan, Service
from buttress.serving.settings import ServingSettings
from buttress.web import install_errors, install_hooks

logger = logging.getLogger("buttress.boot")


def create_app(
    name: str,
    *,
    config: Mapping[str, Any] | None = None,
    extensions: Sequence[Wanted] | None = None,
    env_prefix: str | None = None,
    instance_path: str | None = None,
    blueprint_modules: str | Sequence[str] | None = None,
    **flask_options: Any,
) -> Service:
    """Make a service of the package ``name`` and boot it.

    ``extensions=None`` means the default set, a list exactly those; ``env_prefix`` defaults to
    the name in upper case. Raises `SetupError` for whatever must be mended first.
    """
    flask_options.setdefault("root_path", package_folder(name))
    app = Service(name, instance_path=instance_folder(name, instance_path), **flask_options)
    app.plan = Plan(
        env_prefix=env_prefix or environment_name(name),
        steps=BOOT,
        config=config,
        extensions=extensions,
        blueprint_modules=blueprint_modules,
    )
    app.boot()
    return app


def preconfig(app: Service) -> None:
    """Give the user's own hook the first word."""
    app.preconfig()


def configure(app: Service) -> None:
    """Load the classes of the extensions, and with their typed sections the configuration."""
    plan = planned(app)
    extensions = load_extensions(plan.extensions)
    app.configuration = configuration.load(
        package=app.package,
        prefix=plan.env_prefix,
        root_path=Path(app.root_path),
        instance_path=Path(app.instance_path),
        sections=[
            SectionSpec("serving", ServingSettings, prefix=""),
            *(SectionSpec(e.name, e.settings) for e in extensions if e.settings is not None),
            *(SectionSpec(name, it) for e in extensions for name, it in e.sections.items()),
        ],
        reserves=(*plan.reserves, *(prefix for e in extensions for prefix in e.reserves)),
        arguments=_arguments(app, plan),
        facade=plan.facade,
        presets=plan.presets,
        command_line=COMMAND_LINE.get(),
    )
    app.lifecycle.at_end.append(app.configuration.release)
    app.settings = settings = app.configuration.settings
    app.config.update(app.configuration.values)
    app.pending = in_required_order(extensions, lambda name: getattr(settings, name, None))


def build_extensions(app: Service) -> None:
    """Build every extension that is not built yet, in order."""
    build(app, [extension.name for extension in app.pending])
    report_warnings(app)


def request_hooks(app: Service) -> None:
    """Put the core's own hooks and error pages before any that discovery finds."""
    install_hooks(app)
    install_errors(app)


def postconfig(app: Service) -> None:
    """Give the user's own hook the last word."""
    app.postconfig()


#: The boot sequence. A façade may run its parts as steps of its own.
BOOT = (
    preconfig,
    configure,
    build_extensions,
    attach_instance,
    request_hooks,
    discover,
    postconfig,
)


def build(app: Service, names: Sequence[str]) -> None:
    """Build those of the pending extensions that are named, in order.

    Raises `ExtensionError` for a name that is an attribute of Flask's.
    """
    built = app.extensions.setdefault("buttress", {})
    for extension in [each for each in app.pending if each.name in names]:
        app.pending.remove(extension)
        _refuse_taken(app, extension)
        it = extension.build(app, settings_of(app, extension.name))
        app.lifecycle.parts.append(Slot(extension, it))
        built[extension.name] = it
        setattr(app, extension.name, it)
        for attribute in extension.provides:
            setattr(app, attribute, getattr(it, attribute))


def report_warnings(app: Service) -> None:
    """Log what is odd in the configuration; the log must be built by then."""
    for warning in app.configuration.warnings:
        logger.warning("%s", warning)


def settings_of(app: Service, name: str) -> Any:
    """Give the typed section of an extension; ``None`` where it has no settings."""
    return getattr(app.settings, name, None)


def planned(app: Service) -> Plan:
    """Give the plan of a service. Raises `LifecycleError` for a bare one."""
    if app.plan is None:
        raise LifecycleError(f"{app.name} is a bare Service: use create_app to have a boot.")
    return app.plan


def environment_name(name: str) -> str:
    """Write an import name as environment variables do: upper case, dots as underscores."""
    return name.upper().replace(".", "_")


def _arguments(app: Service, plan: Plan) -> Mapping[str, Any] | None:
    """Add to the caller's ``config=`` what was put into ``app.config`` while the app was open."""
    untouched = {**app.default_config, "DEBUG": get_debug_flag()}
    changed = {
        key: value
        for key, value in app.config.items()
        if key not in untouched or untouched[key] != value
    }
    given = {} if plan.config is None else plan.config
    return {**given, **changed} if changed and isinstance(given, Mapping) else plan.config


def _refuse_taken(app: Service, extension: Extension[Any, Any]) -> None:
    for name in (extension.name, *extension.provides):
        taken = getattr(type(app), name, None)
        if name in app.__dict__ or (taken is not None and not isinstance(taken, Absent)):
            what = "be named" if name == extension.name else "provide"
            raise ExtensionError(
                extension.name,
                f"An extension cannot {what} '{name}': that is an attribute of Flask's or the "
                "service's. Rename it.",
            )
