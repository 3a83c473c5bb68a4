"""Resolution: layers of given values become candidates, and candidates become typed sections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from buttress.config.conversion import convert, like
from buttress.config.given import Findings, Given, Layer
from buttress.config.mode import FLAGS, FOLLOWING, Candidate, Decision
from buttress.config.registry import LIKELY, NEAR, Field, Registry, hint
from buttress.config.report import DEFAULT, Row
from buttress.config.secret import plain, secrets_in, weakness
from buttress.config.section import Section

LENIENT_MODE = "development"


class Resolver:
    """Add layers, the weakest first; ``candidates`` then has what each key was given, in order."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.findings = Findings()
        self.candidates: dict[str, list[Candidate]] = {}
        self.failed: set[str] = set()

    def add(self, layer: Layer) -> None:
        """Convert the values of one layer; what is wrong goes to ``findings``."""
        seen: dict[str, tuple[Given, object]] = {}
        for given in layer:
            key = self.registry.canonical(given.name) or given.name
            try:
                value = self._value(given)
            except ValueError as error:
                self.failed.add(key)
                self.findings.problems.append(str(error))
                continue
            first, known = seen.setdefault(key, (given, value))
            if first is not given and known != value:
                self.findings.problems.append(_disagreement(key, first, given))
        for key, (given, value) in seen.items():
            self.candidates.setdefault(key, []).append(Candidate(value, given.origin))

    def _value(self, given: Given) -> object:
        field = self.registry.field(given.name)
        return self._own(given) if field is None else convert(given, field)

    def _own(self, given: Given) -> object:
        if self.registry.reserved(given.name):
            return given.value
        if given.undeclared in ("warn", "new") and self.candidates.get(given.name):
            return self._retyped(given)
        if given.undeclared == "warn":
            return self._unexpected(given)
        if given.undeclared == "suspect" and not self.registry.owns_prefix(given.name):
            return given.value
        refused = given.undeclared in ("refuse", "new")
        found = self.registry.nearest(given.name, LIKELY if refused else NEAR)
        if refused or found is not None:
            raise ValueError(f"{given.origin}: there is no setting {given.name}{hint(found)}")
        return given.value

    def _retyped(self, given: Given) -> object:
        """Read a text as a value of the type that a weaker source gave the name."""
        if not isinstance(given.value, str):
            return given.value
        try:
            return like(given.value, self.candidates[given.name][-1].value)
        except ValueError as error:
            raise ValueError(f"{given.origin}: {given.name} {error}") from None

    def _unexpected(self, given: Given) -> object:
        guess = hint(self.registry.nearest(given.name))
        self.findings.warnings.append(
            f"{given.origin}: no extension of this application declares {given.name}{guess}"
        )
        return given.value


def expanded(layer: Layer, registry: Registry) -> Layer:
    """Replace ``CACHE = {"url": …}`` by what the mapping says of the section."""
    return [one for given in layer for one in _expanded(given, registry)]


def _expanded(given: Given, registry: Registry) -> Iterator[Given]:
    section = given.name.lower()
    whole = registry.canonical(given.name) is None and section in registry.specs
    if not whole or not isinstance(given.value, Mapping):
        yield given
        return
    for option, value in given.value.items():
        name = registry.key_in(section, str(option))
        yield Given(name, value, given.origin, undeclared="refuse")


def _disagreement(key: str, first: Given, second: Given) -> str:
    names = [f"{one.name} in {one.origin}" for one in (first, second)]
    return f"{names[0]} and {names[1]} are both {key} but differ; keep one of them"


class Tree:
    """Build the typed sections from what was resolved; ``problems`` tells what prevents it."""

    def __init__(self, resolver: Resolver, decision: Decision) -> None:
        self.registry = resolver.registry
        self.candidates = _with_mode(resolver.candidates, decision)
        self.failed = resolver.failed
        self.mode = decision.mode
        self.problems: list[str] = []

    def sections(self, prefix: str) -> dict[str, Section]:
        """Make every section that can be made; ``prefix`` tells how to set what is missing."""
        made = {}
        for name, spec in self.registry.specs.items():
            fields = list(self.registry.of_section(name))
            complete = [self._complete(field, prefix) for field in fields]
            if all(complete):
                section = spec.type(**{field.name: self._value(field) for field in fields})
                self.problems += [f"{name}: {sentence}" for sentence in section.problems()]
                made[name] = section
            if self.mode != LENIENT_MODE:
                secret = [field for field in fields if field.secret]
                self.problems += [sentence for field in secret for sentence in self._weak(field)]
        return made

    def _complete(self, field: Field, prefix: str) -> bool:
        if field.key in self.failed:
            return False
        missing = field.required and field.key not in self.candidates
        if missing:
            self.problems.append(
                f"{field.key} is not set: give it in a file, or as {prefix}{field.key} "
                "in the environment"
            )
        return not missing

    def _value(self, field: Field) -> object:
        found = self.candidates.get(field.key)
        return found[-1].value if found else field.default()

    def _origin(self, key: str) -> str:
        found = self.candidates.get(key)
        return found[-1].origin if found else DEFAULT

    def _weak(self, field: Field) -> Iterator[str]:
        for secret in secrets_in(self._value(field)):
            fault = weakness(secret, field.min_length)
            if fault is not None:
                yield (
                    f"{self._origin(field.key)}: {field.key} {fault}; "
                    "generate one with: buttress secret new"
                )

    def rows(self) -> Iterator[Row]:
        """Tell of every setting, the declared ones first, then the application's own."""
        for field in self.registry.fields.values():
            yield self._row(field.key, self._value(field))
        for key in sorted(self.candidates.keys() - self.registry.fields.keys()):
            yield self._row(key, self.candidates[key][-1].value)

    def _row(self, key: str, value: object) -> Row:
        lower = tuple(one.origin for one in reversed(self.candidates.get(key, [])[:-1]))
        return Row(key, value, self._origin(key), lower)


def _with_mode(
    candidates: Mapping[str, list[Candidate]], decision: Decision
) -> dict[str, list[Candidate]]:
    settled = {key: list(given) for key, given in candidates.items()}
    if "MODE" not in settled and decision.origin != DEFAULT:
        settled["MODE"] = [Candidate(decision.mode, decision.origin)]
    flags = {"DEBUG": False, **FLAGS[decision.mode]}
    for key, value in {**flags, **FOLLOWING[decision.mode]}.items():
        given = settled.setdefault(key, [])
        overruled = key in flags and value
        if not given or given[-1].value is None or (overruled and not given[-1].value):
            given.append(Candidate(value, f"MODE={decision.mode}"))
    return settled


def projection(rows: tuple[Row, ...]) -> dict[str, object]:
    """Give the values for ``app.config``, secrets as plain text."""
    return {row.key: plain(row.value) for row in rows}
