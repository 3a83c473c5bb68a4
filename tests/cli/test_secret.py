"""``buttress secret``: where it writes, and what it prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from buttress.config.section import SECRET_BYTES
from tests.cli.shop import Run, Write


def test_new(run: Run) -> None:
    """Without a key a secret is printed."""
    assert re.fullmatch(r"[\w-]{43}\n", run("secret", "new").stdout)
    assert re.fullmatch(r"[\w-]{86}\n", run("secret", "new", "--bytes", "64").stdout)


def test_too_few_bytes(run: Run) -> None:
    """A secret that a service would refuse to boot with is refused."""
    assert run("secret", "new", "--bytes", str(SECRET_BYTES - 1)).exit_code == 2


def test_fewest_bytes(shop: Path, run: Run) -> None:
    """The shortest secret that is written is good enough to boot with."""
    run("secret", "new", "SECRET_KEY", "--bytes", str(SECRET_BYTES))
    assert run("check").exit_code == 0


@pytest.mark.parametrize(
    ("files", "file"),
    [
        ({"shop/main.py": ""}, "instance/config.py"),
        ({"src/shop/main.py": ""}, "src/instance/config.py"),
        ({}, "instance/config.py"),
    ],
)
def test_place(project: Write, run: Run, files: dict[str, str], file: str) -> None:
    """The file is in the instance folder, where Flask looks for it."""
    folder = project(files)
    result = run("secret", "new", "SECRET_KEY")
    assert (result.exit_code, result.stdout) == (0, f"SECRET_KEY is now in {file}\n")
    assert (folder / file).read_text().count("SECRET_KEY") == 1


def test_instance_path(project: Write, run: Run) -> None:
    """The variable that moves the instance folder counts."""
    folder = project({"shop/main.py": ""})
    run("secret", "new", "SECRET_KEY", env={"SHOP_INSTANCE_PATH": str(folder / "here")})
    assert (folder / "here" / "config.py").is_file()


def test_file(project: Write, run: Run) -> None:
    """Another file can be named."""
    folder = project({})
    run("secret", "new", "SECRET_KEY", "--file", "other.py")
    assert [it.name for it in folder.iterdir()] == ["other.py"]


def test_application_is_not_loaded(project: Write, run: Run) -> None:
    """An application that refuses to boot without its secret is not asked to."""
    project({"shop/main.py": "raise SystemExit(9)"})
    assert run("secret", "new", "SECRET_KEY").exit_code == 0


SIGNER = "s = app.session_interface.get_signing_serializer(app); "


def test_rotation_keeps_sessions(shop: Path, run: Run) -> None:
    """What the first secret signed is still valid once it is rotated, and neither is shown."""
    run("secret", "new", "SECRET_KEY")
    first = (shop / "instance" / "config.py").read_text().split('"')[1]
    signed = run("shell", "-c", f"{SIGNER}print(s.dumps('me'))").stdout.strip()
    result = run("secret", "rotate", "SECRET_KEY")
    assert "the old one is now in SECRET_KEY_FALLBACKS" in result.stdout
    assert first not in result.output
    again = run("shell", "-c", f"{SIGNER}print(s.loads({signed!r}), s.dumps('me') == {signed!r})")
    assert again.stdout == "me False\n"


def test_rotate_another_key(project: Write, run: Run) -> None:
    """Of a key without fallbacks it is said that the old value is gone."""
    project({})
    run("secret", "new", "PEPPER")
    assert "the old one is gone" in run("secret", "rotate", "PEPPER").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("new", "secret_key"), "'secret_key' is no key"),
        (("new", "A KEY"), "'A KEY' is no key"),
        (("new", "KEY", "--file", "no/where/f.py"), "there is no folder {}/no/where"),
        (("rotate", "SECRET_KEY"), "instance/config.py cannot be read"),
        (("new", "KEY", "--app", "a b"), "'a b' does not name an application"),
    ],
)
def test_mistakes(project: Write, run: Run, arguments: tuple[str, ...], message: str) -> None:
    """A mistake is named, with exit code 2, and nothing is written."""
    folder = project({})
    result = run("secret", *arguments)
    assert result.exit_code == 2
    assert message.format(folder) in result.stderr
    assert list(folder.iterdir()) == []


def test_folder_around_the_instance_folder(project: Write, run: Run) -> None:
    """Only the instance folder itself is made."""
    folder = project({"shop/main.py": ""})
    result = run(
        "secret", "new", "KEY", env={"SHOP_INSTANCE_PATH": str(folder / "no" / "instance")}
    )
    assert result.exit_code == 2
    assert f"The folder {folder}/no/instance cannot be made: No such file" in result.stderr
    assert [it.name for it in folder.iterdir()] == ["shop"]
