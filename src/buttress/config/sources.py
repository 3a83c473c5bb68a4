"""The sources of one application, in their order."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, MutableMapping, Sequence
from itertools import chain
from pathlib import Path

import msgspec

from buttress.config import files
from buttress.config.arguments import from_command_line, from_config, from_facade
from buttress.config.conversion import secret_texts
from buttress.config.environment import (
    Environment,
    dotenv,
    find_dotenv,
    is_service_link,
    variable_name,
)
from buttress.config.given import Findings, Given, Layer, shown
from buttress.config.mode import Decision, decide
from buttress.config.registry import Registry
from buttress.config.resolve import Resolver, expanded
from buttress.config.vault import Vault

_DECIDED_EARLIER = ("MODE", "DEBUG", "TESTING")


class Place(msgspec.Struct, frozen=True):
    """Say where an application lives and how its variables begin."""

    package: str
    prefix: str
    root_path: Path
    instance_path: Path | None


def instance_folder(
    package: str, given: str | None = None, environ: Mapping[str, str] = os.environ
) -> str | None:
    """Give the absolute instance folder: the caller's, else that of ``<NAME>_INSTANCE_PATH``.

    ``None`` leaves the choice to Flask.
    """
    named = given or environ.get(f"{variable_name(package)}_INSTANCE_PATH")
    return str(Path(named).absolute()) if named else None


class Sources:
    """Read every source once; ``layers`` has them with the strongest last.

    Of the ``variables``, those that are ``replaced`` by files of secrets are no settings.
    """

    def __init__(
        self,
        place: Place,
        registry: Registry,
        variables: Mapping[str, str],
        replaced: frozenset[str] = frozenset(),
    ) -> None:
        self.place = place
        self.registry = registry
        self.variables = variables
        self.replaced = replaced
        self.findings = Findings()
        self.layers: list[Layer] = []
        self._environment_at = 0
        self._files: dict[Path, Layer] = {}
        self._secrets: set[str] = set()

    def read(
        self,
        presets: Mapping[str, object],
        arguments: object,
        facade: Mapping[str, object],
        command_line: Mapping[str, object],
    ) -> None:
        """Read all but ``.env``, whose turn comes when the mode is known."""
        given = [
            *from_config(arguments, self.findings),
            *from_facade(facade, "the argument for {}"),
        ]
        stronger = [
            *self._environment("environment").read(self._own_variables(), self.findings),
            given,
            from_command_line(command_line),
        ]
        for layer in stronger:
            self._note_secrets(layer)
        written = self._read_files()
        layers = [from_facade(presets, "the façade's default of {}"), *written, *stronger]
        self.layers = [expanded(layer, self.registry) for layer in layers]
        self._environment_at = 1 + len(written)

    def resolved(self) -> tuple[Decision, Resolver]:
        """Resolve the layers; in development those of ``.env`` go below the environment."""
        resolver = self._resolver({})
        decision = decide(resolver.candidates, self.variables)
        path = None
        if decision.mode == "development":
            path = find_dotenv(self.place.root_path, self.place.package)
        if path is None:
            return decision, resolver
        found = dotenv(path, self.findings)
        at = self._environment_at
        self.layers[at:at] = self._dotenv(path, found)
        resolver = self._resolver(found)
        return decide(resolver.candidates, self.variables), resolver

    def hide(self, environ: MutableMapping[str, str], vault: Vault, holder: object) -> None:
        """Move the variables that secrets were made of from an environment to a vault.

        Flask's reloader gives its child the environment as it is, so its parent leaves it alone.
        """
        if leads_flask_child(self.variables):
            return
        for given in chain.from_iterable(self.layers):
            field = self.registry.field(given.name)
            if field is not None and field.secret:
                for variable in given.variables:
                    vault.take(variable, environ, holder)

    def _resolver(self, more: Mapping[str, str]) -> Resolver:
        resolver = Resolver(self.registry)
        presets, *layers = self.layers
        for layer in (presets, self._bare_port(layers, more), *layers):
            resolver.add(layer)
        return resolver

    def _bare_port(self, layers: Sequence[Layer], more: Mapping[str, str]) -> Layer:
        """Take ``PORT`` as platforms set it, where nothing but a default names a port."""
        port = self.variables.get("PORT", more.get("PORT", ""))
        named = any(self.registry.canonical(given.name) == "PORT" for given in chain(*layers))
        if named or not port or is_service_link("PORT", port):
            return []
        return [Given("PORT", port, "environment PORT")] if self.registry.declared("PORT") else []

    def _own_variables(self) -> dict[str, str]:
        return {k: value for k, value in self.variables.items() if k not in self.replaced}

    def _environment(self, origin: str) -> Environment:
        return Environment(self.place.prefix, self.place.package, self.registry, origin)

    def _dotenv(self, path: Path, found: Mapping[str, str]) -> list[Layer]:
        layers = self._environment(shown(path)).read(found, self.findings)
        for given in layers[0]:
            if given.name in _DECIDED_EARLIER:
                self.findings.warnings.append(
                    f"{given.origin} has no effect: the mode is decided before this file is read"
                )
        kept = [given for given in layers[0] if given.name not in _DECIDED_EARLIER]
        return [kept, layers[1]]

    def _read_files(self) -> list[Layer]:
        package, instance, named = self._package_files(), self._instance_file(), self._named_file()
        return [
            *(self._file(path, self._module(path.resolve())) for path in package),
            *(self._file(path, None) for path in instance),
            *(self._file(path, self._module(path.resolve())) for path in named),
        ]

    def _package_files(self) -> list[Path]:
        paths = [self.place.root_path / name for name in ("defaults.py", "settings.py")]
        return [path for path in paths if path.is_file()]

    def _instance_file(self) -> list[Path]:
        moved = instance_folder(self.place.package, environ=self.variables)
        named = self.place.instance_path or moved
        if named is None:
            return []
        folder = Path(named)
        if str(folder) == moved and not folder.is_dir():
            variable = f"{variable_name(self.place.package)}_INSTANCE_PATH"
            self.findings.problems.append(f"{variable} names {shown(folder)}, which is no folder")
            return []
        return [folder / "config.py"] if self._is_there(folder / "config.py") else []

    def _is_there(self, path: Path) -> bool:
        """Tell whether there is such a file; not to be allowed to look is a problem."""
        try:
            return stat.S_ISREG(path.stat().st_mode)
        except FileNotFoundError:
            return False
        except OSError as error:
            self.findings.problems.append(f"{shown(path)} cannot be read: {error.strerror}")
            return False

    def _named_file(self) -> list[Path]:
        names = (f"{variable_name(self.place.package)}_CONFIG", "APP_SETTINGS")
        given = {name: Path(self.variables[name]) for name in names if self.variables.get(name)}
        if len(given) > 1:
            self.findings.problems.append(f"{' and '.join(given)} are both set; keep one of them")
        unread = f"{variable_name(self.place.prefix)}_CONFIG"
        if unread not in names and self.variables.get(unread):
            self.findings.warnings.append(f"{unread} is not read; the variable is {names[0]}")
        missing = [name for name in given if not given[name].is_file()]
        self.findings.problems += [
            f"{name} names {shown(given[name])}, but there is no such file" for name in missing
        ]
        return [path for name, path in given.items() if name not in missing][:1]

    def _file(self, path: Path, module: str | None) -> Layer:
        real = path.resolve()
        if real not in self._files:
            layer, problems = files.read(path, self.registry, self.variables, module, self._secrets)
            self.findings.problems += problems
            self._note_secrets(layer)
            self._files[real] = layer
        return self._files[real]

    def _note_secrets(self, layer: Layer) -> None:
        self._secrets |= secret_texts(expanded(layer, self.registry), self.registry)

    def _module(self, path: Path) -> str | None:
        root = self.place.root_path.resolve()
        if not path.is_relative_to(root):
            return None
        return ".".join((self.place.package, *path.relative_to(root).with_suffix("").parts))


def leads_flask_child(variables: Mapping[str, str]) -> bool:
    """Tell whether this may be the parent of the reloader of Flask's own command."""
    return variables.get("FLASK_RUN_FROM_CLI") == "true" and "WERKZEUG_RUN_MAIN" not in variables
