"""Write the generated pages of docs/, settings.md and errors.md: `make docs`.

With `--check` nothing is written; the exit code is 1 when a page is not up to date.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from datetime import timedelta
from inspect import getdoc
from pathlib import Path

import msgspec

from buttress import Code, errors
from buttress.config import Secret
from buttress.config.annotation import describe
from buttress.config.registry import Field, Registry
from buttress.config.section import SectionSpec
from buttress.config.settings import CORE
from buttress.extension import BUILT_IN, load_extensions
from buttress.serving.settings import ServingSettings

DOCS = Path(__file__).parents[1] / "docs"
NOTE = "<!-- Written by `make docs`; change the docstrings and descriptions in src/ instead. -->"

SETTINGS = """
# Settings

Every key has one spelling: `CACHE_URL` is `CACHE_URL = …` in a `.py` or `.toml` file and in
`config={…}`, `<PREFIX>_CACHE_URL` in the environment, and `url` in the section `[cache]` of an
`.ini` file. In code it is `app.settings.cache.url` and `app.config["CACHE_URL"]`. The headings
below are the names of the sections; a key that is in none of them stands in `[flask]` of an `.ini`
file. `buttress config` prints the value of each key and where it came from.
"""

ERRORS = """
# Errors

## Answers

An error is answered as `application/problem+json` (RFC 9457). Its member `code` is one of these
words; they are stable, and clients may rely on them. Statuses mean what RFC 9110 says.
"""

TREE = """
## Exceptions

A `SetupError` is a mistake to mend before the service can run: the command line prints its
message, without a traceback, and exits with code 2.
"""


def main() -> None:
    """Write the pages, or check them."""
    outdated = [path for path, text in pages().items() if not is_current(path, text)]
    if "--check" in sys.argv[1:]:
        sys.exit(f"run make docs: {', '.join(it.name for it in outdated)}" if outdated else 0)
    DOCS.mkdir(exist_ok=True)
    for path in outdated:
        path.write_text(pages()[path], encoding="utf-8")
        print(f"wrote {path.relative_to(DOCS.parent)}")


def pages() -> dict[Path, str]:
    """Make the text of every generated page."""
    return {DOCS / "settings.md": settings_page(), DOCS / "errors.md": errors_page()}


def is_current(path: Path, text: str) -> bool:
    """Tell whether a page has this text."""
    return path.exists() and path.read_text(encoding="utf-8") == text


def registry() -> Registry:
    """Collect the settings of the core and of every built-in extension."""
    extensions = load_extensions(list(BUILT_IN))
    return Registry(
        [
            *CORE,
            SectionSpec("serving", ServingSettings, prefix=""),
            *(SectionSpec(it.name, it.settings) for it in extensions if it.settings),
            *(SectionSpec(name, more) for it in extensions for name, more in it.sections.items()),
        ]
    )


def settings_page() -> str:
    """Make the page of settings, one table for each section."""
    known = registry()
    parts = [NOTE, SETTINGS.strip()]
    for name, spec in known.specs.items():
        rows = [setting(it) for it in known.of_section(name)]
        header = f"## {name}\n\n{summary(spec.type)}"
        parts.append(f"{header}\n\n{table(('Key', 'Expects', 'Default', 'Meaning'), rows)}")
    return "\n\n".join(parts) + "\n"


def setting(field: Field) -> tuple[str, ...]:
    """Make the row of one setting."""
    aliases = ", ".join(f"`{it}`" for it in field.aliases)
    meaning = f"{field.description} Also: {aliases}." if aliases else field.description
    return f"`{field.key}`", describe(field.annotation), default(field), meaning


def default(field: Field) -> str:
    """Show the default of a setting as a person would write it."""
    if field.required:
        return "required"
    value = field.default()
    if value is None:
        return "–"
    if isinstance(value, Secret):  # a default is nobody's secret
        value = value.reveal()
    if isinstance(value, timedelta):
        return f"`{value.total_seconds():.15g}`"
    return f"`{value}`" if value and isinstance(value, str) else f"`{json(value)}`"


def json(value: object) -> str:
    """Write a value as JSON does, a list with a space after each comma."""
    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()


def errors_page() -> str:
    """Make the page of codes and exceptions."""
    codes = [(f"`{code}`", str(code.status or "any other")) for code in Code]
    classes = [(f"`{name}`", summary(getattr(errors, name))) for name in error_names()]
    return (
        "\n\n".join(
            [
                f"{NOTE}\n\n{ERRORS.strip()}",
                table(("Code", "Status"), codes),
                TREE.strip(),
                table(("Exception", "When"), classes),
            ]
        )
        + "\n"
    )


def error_names() -> list[str]:
    """List the exceptions of `errors.py` in the order of the file."""
    tree = ast.parse(Path(errors.__file__).read_text(encoding="utf-8"))
    names = [it.name for it in tree.body if isinstance(it, ast.ClassDef)]
    return [name for name in names if issubclass(getattr(errors, name), Exception)]


def summary(thing: type) -> str:
    """Give the first paragraph of a docstring on one line."""
    return " ".join((getdoc(thing) or "").partition("\n\n")[0].split()).replace("``", "`")


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Write a Markdown table."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines
    )


if __name__ == "__main__":
    main()
