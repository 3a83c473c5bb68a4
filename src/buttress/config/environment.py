"""The environment: prefixed variables, secrets in files, patterns of others, and ``.env``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from buttress.config.given import Findings, Given, Layer, shown
from buttress.config.inifile import read_text
from buttress.config.registry import Registry
from buttress.errors import ConfigError

if TYPE_CHECKING:
    from dotenv.parser import Original

_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://(?:[0-9.]+|\[[0-9a-fA-F:.]+\]):[0-9]+")
_LINK = re.compile(r"(?:.+_)?PORT(?:_[0-9]+_(?:TCP|UDP|SCTP))?")
_LINK_PART = re.compile(r"(?:.+_)?PORT_[0-9]+_(?:TCP|UDP|SCTP)_(?:PROTO|PORT|ADDR)")
_FOREIGN = re.compile(r"(?:.+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|LOG_LEVEL)")
_NOT_SETTINGS = ("CONFIG", "INSTANCE_PATH")


def variable_name(name: str) -> str:
    """Give the form of a name that begins variables: upper-case, dots and dashes as underscores."""
    return re.sub(r"[.-]", "_", name).upper()


def is_service_link(name: str, value: str) -> bool:
    """Tell whether Kubernetes sets such a variable for a service, in the form of Docker's links."""
    linked = _LINK.fullmatch(name) is not None and _ADDRESS.fullmatch(value) is not None
    return linked or _LINK_PART.fullmatch(name) is not None


class Environment:
    """Read the variables of one application.

    ``prefix`` begins them. ``package`` is the name of the application, whose own
    ``<PREFIX>_<PACKAGE>_LOG_LEVEL`` is stronger than ``<PREFIX>_LOG_LEVEL``; ``origin`` says
    where the variables are from.
    """

    def __init__(
        self, prefix: str, package: str, registry: Registry, origin: str = "environment"
    ) -> None:
        self.prefix = f"{variable_name(prefix)}_"
        self.name = variable_name(package)
        self.registry = registry
        self.origin = origin

    def read(self, variables: Mapping[str, str], findings: Findings) -> tuple[Layer, Layer]:
        """Give the settings, and those that are meant for this application by name."""
        own = f"{self.prefix}{self.name}_LOG_LEVEL"
        names = sorted(name for name in variables if name.startswith(self.prefix))
        general = [given for name in names for given in self._given(name, variables, findings)]
        special = [self._plain(own, "LOG_LEVEL", variables[own])] if own in variables else []
        return general, special if self.registry.declared("LOG_LEVEL") else []

    def _given(
        self, variable: str, variables: Mapping[str, str], findings: Findings
    ) -> Iterator[Given]:
        name, value = variable.removeprefix(self.prefix), variables[variable]
        if self._not_a_setting(variable, name, value):
            return
        if self.registry.canonical(name) is None and self._secret_file(name):
            yield from self._from_file(variable, name.removesuffix("_FILE"), variables, findings)
        elif self.registry.canonical(name) is None and self.registry.reserved(name):
            yield Given(name, _json(value), f"{self.origin} {variable}")
        else:
            yield self._plain(variable, name, value)

    def _not_a_setting(self, variable: str, name: str, value: str) -> bool:
        if not name or is_service_link(name, value):
            return True
        if self.registry.canonical(name) is not None:
            return False
        special = {f"{self.name}_{word}" for word in _NOT_SETTINGS}
        return name in _NOT_SETTINGS or variable in special or _FOREIGN.fullmatch(name) is not None

    def _plain(self, variable: str, name: str, value: str) -> Given:
        return Given(
            name, value, f"{self.origin} {variable}", undeclared="warn", variables=(variable,)
        )

    def _secret_file(self, name: str) -> bool:
        field = self.registry.field(name.removesuffix("_FILE"))
        return name.endswith("_FILE") and field is not None and field.secret

    def _from_file(
        self, variable: str, name: str, variables: Mapping[str, str], findings: Findings
    ) -> Iterator[Given]:
        origin, plain = f"{self.origin} {variable}", f"{self.prefix}{name}"
        if plain in variables:
            findings.problems.append(f"{origin}: {plain} is set as well; keep one of the two")
            return
        path = Path(variables[variable])
        try:
            yield Given(name, path.read_text("utf-8").rstrip("\r\n"), origin)
        except OSError as error:
            reason = error.strerror or "unreadable"
            findings.problems.append(f"{origin}: {shown(path)} cannot be read: {reason}")
        except ValueError:
            findings.problems.append(f"{origin}: {shown(path)} is not UTF-8 text")


def _json(text: str) -> object:
    """Read a value for a third-party library as ``Flask.config.from_prefixed_env`` would."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def dotenv(path: Path, findings: Findings) -> dict[str, str]:
    """Read a ``.env`` file; a line that gives no name a value is left out, and warned of."""
    from io import StringIO

    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    try:
        bindings = list(parse_stream(StringIO(read_text(path))))
    except ConfigError as error:
        findings.problems += error.problems
        return {}
    odd = [one for one in bindings if one.error or (one.key and one.value is None)]
    findings.warnings += [
        f"{shown(path)}:{_line(one.original)}: ignored, for it is not written NAME=value"
        for one in odd
    ]
    kept = "".join(one.original.string for one in bindings if one not in odd)
    found = dotenv_values(stream=StringIO(kept))
    return {name: value for name, value in found.items() if value is not None}


def _line(original: Original) -> int:
    """Give the number of the line on which the text itself begins, after empty lines."""
    blank = original.string[: -len(original.string.lstrip())]
    return original.line + len(blank.splitlines())


def find_dotenv(root_path: Path, package: str) -> Path | None:
    """Find the ``.env`` of the current folder, else that of the project, or ``None``."""
    above = list(root_path.absolute().parents)[package.count(".") :]
    roots = [folder for folder in above if (folder / "pyproject.toml").is_file()]
    places = [folder / ".env" for folder in (Path.cwd(), *roots[:1], *above[:1])]
    return next((place for place in places if place.is_file()), None)
