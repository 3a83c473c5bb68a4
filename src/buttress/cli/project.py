"""A new project: its name, its layout, and the files that are written."""

from __future__ import annotations

import keyword
import re
import secrets
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from string import Template

from buttress.cli.secret_file import add_secret, generate
from buttress.errors import SetupError

LAYOUTS = Path(__file__).with_name("layouts")
SUFFIX = ".tmpl"
#: Stands for the name of the project in the paths of a layout.
NAME = "NAME"
#: Folders that a project has beside its package.
TAKEN = frozenset({"instance", "src", "tests"})


def layouts() -> list[str]:
    """Give the names of the layouts."""
    return sorted(path.name for path in LAYOUTS.iterdir() if path.is_dir())


def write_project(folder: Path, name: str, layout: str) -> None:
    """Write a project into a folder that is new or empty, as a whole or not at all.

    Raises `SetupError` for a name that is no good, and for a folder that has something in it.
    """
    check_name(name)
    _check_free(folder)
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        _fill(draft, name, layout)
        draft.replace(folder)
    except OSError as error:
        raise SetupError(f"{folder} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def check_name(name: str) -> None:
    """Raise `SetupError` for a name that cannot be that of a new package, saying why."""
    reason = _fault(name)
    if reason:
        raise SetupError(f"A project cannot be named '{name}': {reason}.")


def _fault(name: str) -> str | None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        word = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
        hint = f", such as '{word}'" if re.fullmatch(r"[A-Za-z]\w*", word) else ""
        return f"write letters, digits and underscores, the first one a letter{hint}"
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        return "it is a word of Python's"
    if name in TAKEN:
        return f"every project has a folder '{name}' of another kind"
    if name in sys.stdlib_module_names:
        return "Python has a module of that name"
    if _is_installed(name):
        return "a package of that name is installed here, which it would hide"
    return None


def _is_installed(name: str) -> bool:
    """Tell whether a module can be imported that is not just a folder of the current one."""
    spec = find_spec(name)
    if spec is None:
        return False
    places = [spec.origin, *(spec.submodule_search_locations or ())]
    here = Path.cwd() / name
    return not any(place and Path(place).resolve().is_relative_to(here) for place in places)


def _check_free(folder: Path) -> None:
    try:
        taken = folder.is_symlink() or (folder.exists() and any(folder.iterdir()))
    except NotADirectoryError:
        taken = True
    if taken:
        raise SetupError(f"'{folder.name}' is here already and not empty: choose another name.")


def _fill(folder: Path, name: str, layout: str) -> None:
    folder.mkdir()
    shared = [path for path in LAYOUTS.iterdir() if path.is_file()]
    for template in [*shared, *(LAYOUTS / layout).rglob(f"*{SUFFIX}")]:
        root = LAYOUTS if template in shared else LAYOUTS / layout
        target = folder / _path(template.relative_to(root), name)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = Template(template.read_text(encoding="utf-8")).substitute(
            name=name, prefix=name.upper()
        )
        target.write_text(text, encoding="utf-8")
    add_secret(folder / "instance" / "config.py", "SECRET_KEY", generate(), make_folder=True)


def _path(template: Path, name: str) -> Path:
    return Path(template.as_posix().replace(NAME, name).removesuffix(SUFFIX))
