"""Loading: every source of an application becomes its typed settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from types import MappingProxyType

import msgspec

from buttress.config.environment import variable_name
from buttress.config.registry import Registry
from buttress.config.report import Row
from buttress.config.resolve import Tree, projection
from buttress.config.secret import conceal, secrets_in
from buttress.config.section import SectionSpec
from buttress.config.settings import CORE, Settings
from buttress.config.sources import Place, Sources
from buttress.config.vault import VAULT, Vault
from buttress.errors import ConfigError

NOTHING: Mapping[str, object] = MappingProxyType({})

COMMAND_LINE: ContextVar[Mapping[str, object]] = ContextVar("COMMAND_LINE", default=NOTHING)
"""What the command line sets; the CLI fills it before the application is imported."""


class Configuration(msgspec.Struct, frozen=True):
    """Hold the outcome of loading.

    ``settings`` is the typed tree; ``values`` is its projection for ``app.config``, with plain
    secrets and the application's own keys; ``rows`` say where everything comes from; ``warnings``
    are sentences to log. ``taken`` names the variables that are in the vault for it, until
    ``release()`` is called.
    """

    settings: Settings
    values: dict[str, object]
    rows: tuple[Row, ...]
    warnings: tuple[str, ...]
    taken: tuple[str, ...]
    release: Callable[[], None]

    def conceal(self, text: str) -> str:
        """Mask the declared secrets in a text that somebody else wrote."""
        secrets = (secret for row in self.rows for secret in secrets_in(row.value))
        return conceal(text, [secret.reveal() for secret in secrets])

    def __repr__(self) -> str:
        return f"<Configuration of {len(self.rows)} settings>"


def load(
    *,
    package: str,
    prefix: str,
    root_path: Path,
    instance_path: Path | None = None,
    sections: Sequence[SectionSpec] = (),
    reserves: Sequence[str] = (),
    arguments: Mapping[str, object] | None = None,
    facade: Mapping[str, object] = NOTHING,
    presets: Mapping[str, object] = NOTHING,
    command_line: Mapping[str, object] = NOTHING,
    environ: MutableMapping[str, str] | None = None,
    vault: Vault | None = None,
) -> Configuration:
    """Read every source, the strongest last, into typed settings.

    ``arguments`` is the caller's ``config=``, ``facade`` the parameters of a façade, ``presets``
    what a façade changes of the defaults. The sections in `CORE` are always there. Secrets are
    moved from ``environ``, the process's by default, to the vault, and back once the
    configuration is released. Raises `ConfigError` with everything that is wrong.
    """
    if environ is None:
        environ, vault = os.environ, vault or VAULT
    vault = vault or Vault()
    registry = Registry(dict.fromkeys((*CORE, *sections)), reserves)
    place = Place(package, prefix, root_path, instance_path)
    holder = object()
    with vault.lock:
        sources = Sources(place, registry, vault.over(environ), vault.replaced(environ))
        sources.read(presets, arguments, facade, command_line)
        decision, resolver = sources.resolved()
        sources.hide(environ, vault, holder)
    tree = Tree(resolver, decision)
    made = tree.sections(f"{variable_name(prefix)}_")
    found = (sources.findings, resolver.findings)
    problems = [one for findings in found for one in findings.problems]
    problems += [*decision.problems, *tree.problems]
    if problems:
        vault.give_back(holder, environ)
        raise ConfigError(list(dict.fromkeys(problems)))
    rows = tuple(tree.rows())
    warnings = [one for findings in found for one in findings.warnings]
    return Configuration(
        settings=Settings(made),
        values=projection(rows),
        rows=rows,
        warnings=(*warnings, *decision.warnings),
        taken=vault.held(holder),
        release=partial(vault.give_back, holder, environ),
    )
