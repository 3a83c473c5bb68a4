"""``buttress secret``."""

from __future__ import annotations

from pathlib import Path

import click

from buttress.cli.locator import locate, search_folders
from buttress.cli.options import app_option, target
from buttress.cli.secret_file import add_secret, generate, rotate_secret
from buttress.config import instance_folder
from buttress.config.section import SECRET_BYTES
from buttress.errors import AppNotFound

size_option = click.option(
    "--bytes",
    "size",
    type=click.IntRange(min=SECRET_BYTES),
    default=SECRET_BYTES,
    show_default=True,
    help="How many random bytes.",
)
file_option = click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file; by default config.py in the instance folder.",
)


@click.group(epilog="\b\nExample:\n  buttress secret new SECRET_KEY")
def secret() -> None:
    """Generate secrets, and replace them."""


@secret.command(epilog="\b\nExamples:\n  buttress secret new\n  buttress secret new SECRET_KEY")
@app_option
@size_option
@file_option
@click.argument("key", required=False)
def new(key: str | None, size: int, file: Path | None) -> None:
    """Print a new secret, or write it into a file under the name KEY.

    The file gets mode 0600, and the instance folder is made where it is missing. A KEY that the
    file has already is left as it is.
    """
    if key is None:
        click.echo(generate(size))
        return
    path = file or instance_file()
    add_secret(path, _checked(key), generate(size), make_folder=file is None)
    click.echo(f"{key} is now in {_short(path)}")


@secret.command(epilog="\b\nExample:\n  buttress secret rotate SECRET_KEY")
@app_option
@size_option
@file_option
@click.argument("key")
def rotate(key: str, size: int, file: Path | None) -> None:
    """Replace the secret KEY in a file.

    What the old SECRET_KEY signed stays valid: it is moved to SECRET_KEY_FALLBACKS. Take it out
    there once nothing that it signed is in use. The old JWT_SECRET_KEY is moved to
    JWT_PREVIOUS_KEYS, where it ends by itself after 31 days.
    """
    path = file or instance_file()
    fallbacks = rotate_secret(path, _checked(key), generate(size))
    kept = f"the old one is now in {fallbacks}" if fallbacks else "the old one is gone"
    click.echo(f"{key} in {_short(path)} is new; {kept}. Restart the service.")


def instance_file() -> Path:
    """Give ``config.py`` of the instance folder, without loading the application.

    The folder is the one that ``<NAME>_INSTANCE_PATH`` names, else the one beside the package.
    """
    here = Path.cwd()
    try:
        package = locate(target(), here).package
    except AppNotFound:
        if target() is not None:
            raise
        return here / "instance" / "config.py"
    top = package.partition(".")[0]
    beside = next((it for it in search_folders(here) if (it / top).exists()), here)
    return Path(instance_folder(package) or beside / "instance") / "config.py"


def _checked(key: str) -> str:
    if not key.isidentifier() or key != key.upper():
        raise click.BadParameter(f"{key!r} is no key: write it in upper case, such as SECRET_KEY.")
    return key


def _short(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
