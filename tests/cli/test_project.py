"""Projects: names that cannot be, folders that are taken, and files that are written."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from buttress.cli.project import check_name, layouts, write_project
from buttress.errors import SetupError
from tests.cli.process import call_program
from tests.cli.shop import Write


@pytest.mark.parametrize("name", ["shop", "Shop", "shop_2", "s"])
def test_good_names(name: str) -> None:
    """A word of letters, digits and underscores is a good name."""
    check_name(name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("my-shop", "the first one a letter, such as 'my_shop'"),
        ("shop.api", "such as 'shop_api'"),
        ("../shop", "such as 'shop'"),
        ("2shop", "the first one a letter."),
        ("_shop", "such as 'shop'"),
        ("café", "such as 'caf'"),
        ("", "write letters"),
        ("class", "a word of Python's"),
        ("match", "a word of Python's"),
        ("json", "Python has a module of that name"),
        ("flask", "a package of that name is installed"),
        ("buttress", "a package of that name is installed"),
        ("instance", "every project has a folder 'instance'"),
    ],
)
def test_bad_names(name: str, reason: str) -> None:
    """A name that cannot be that of a new package is refused with the reason."""
    with pytest.raises(SetupError) as caught:
        check_name(name)
    assert str(caught.value).startswith(f"A project cannot be named '{name}': ")
    assert reason in str(caught.value)


def test_name_of_a_folder_here(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder of that name in the current one does not count as installed."""
    folder = project({"shop/README": ""})
    (folder / "shop" / "README").unlink()
    monkeypatch.syspath_prepend(str(folder))
    write_project(folder / "shop", "shop", "gnar")
    assert (folder / "shop" / "pyproject.toml").is_file()


@pytest.mark.parametrize("taken", ["file", "folder", "link"])
def test_taken_folder(tmp_path: Path, taken: str) -> None:
    """A file, a folder with something in it, and a link are left as they are."""
    shop = tmp_path / "shop"
    if taken == "folder":
        (shop / "inside").mkdir(parents=True)
    elif taken == "file":
        shop.write_text("")
    else:
        shop.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SetupError, match="'shop' is here already and not empty"):
        write_project(shop, "shop", "gnar")
    assert [it.name for it in tmp_path.iterdir()] == ["shop"]


def test_cannot_be_written(tmp_path: Path) -> None:
    """A place that cannot be written is named, and nothing stays behind."""
    with pytest.raises(SetupError, match="shop cannot be written: No such file"):
        write_project(tmp_path / "nowhere" / "shop", "shop", "gnar")
    assert list(tmp_path.iterdir()) == []


def test_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project that cannot be written to its end is not there at all."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("buttress.cli.project.add_secret", full)
    with pytest.raises(SetupError, match="shop cannot be written: No space left"):
        write_project(tmp_path / "shop", "shop", "gnar")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("layout", layouts())
def test_files(tmp_path: Path, layout: str) -> None:
    """No placeholder is left, the secrets are the owner's alone, and git is told of them."""
    shop = tmp_path / "shop"
    write_project(shop, "shop", layout)
    files = {str(path): path.read_text() for path in shop.rglob("*") if path.is_file()}
    assert [path for path in files if "NAME" in path or path.endswith(".tmpl")] == []
    assert [path for path, text in files.items() if "$name" in text or "{prefix}" in text] == []
    assert stat.S_IMODE((shop / "instance" / "config.py").stat().st_mode) == 0o600
    assert "/instance/" in (shop / ".gitignore").read_text().splitlines()
    assert list(tmp_path.iterdir()) == [shop]


@pytest.mark.parametrize("layout", layouts())
def test_python_files_compile(tmp_path: Path, layout: str) -> None:
    """Every Python file that is written is valid, also for a name in capitals."""
    write_project(tmp_path / "Shop", "Shop", layout)
    for file in (tmp_path / "Shop").rglob("*.py"):
        compile(file.read_text(), file.name, "exec")


def test_two_secrets_differ(tmp_path: Path) -> None:
    """Each project has a secret of its own."""
    for name in ("shop", "office"):
        write_project(tmp_path / name, name, "gnar")
    first, second = (
        (tmp_path / name / "instance" / "config.py").read_text() for name in ("shop", "office")
    )
    assert first != second


def test_main_has_two_lines(tmp_path: Path) -> None:
    """The main module of the layout of Gnar Gear is the two lines."""
    write_project(tmp_path / "shop", "shop", "gnar")
    lines = (tmp_path / "shop" / "shop" / "app" / "main.py").read_text().split("\n")
    assert [line.split("(")[0] for line in lines if line] == [
        "from buttress.gnar import GnarApp",
        "app = GnarApp",
    ]


@pytest.mark.parametrize("layout", layouts())
def test_linters_are_content(tmp_path: Path, layout: str) -> None:
    """Ruff and mypy have nothing to say of a new project, as they are without settings."""
    write_project(tmp_path / "shop", "shop", layout)
    for arguments in (
        ["ruff", "check", "--isolated", "--no-cache"],
        ["ruff", "format", "--isolated", "--no-cache", "--check"],
        ["mypy", "--cache-dir", "../cache"],
    ):
        result = call_program(Path(sys.executable), tmp_path / "shop", "-m", *arguments, ".")
        assert result.returncode == 0, result.stdout
