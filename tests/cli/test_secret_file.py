"""Secrets in a file: added once, rotated in place, for the owner alone."""

from __future__ import annotations

import stat
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from buttress.cli.secret_file import add_secret, generate, rotate_secret
from buttress.errors import SetupError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "instance" / "config.py"


def values(file: Path) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(file.read_text(), names)  # noqa: S102  # the file is a Python file of the test
    return {name: value for name, value in names.items() if name.isupper()}


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_generate() -> None:
    """A secret has 43 characters for 32 bytes, and no two are the same."""
    assert len(generate()) == 43
    assert len(generate(16)) == 22
    assert generate() != generate()


def test_add(file: Path) -> None:
    """The first secret makes the file; the next is added to it; others cannot read it."""
    add_secret(file, "SECRET_KEY", "a", make_folder=True)
    add_secret(file, "PEPPER", "b")
    assert values(file) == {"SECRET_KEY": "a", "PEPPER": "b"}
    assert mode(file) == 0o600


def test_add_keeps_what_is_there(file: Path) -> None:
    """What the file has already stays, and a file that others could read is closed to them."""
    file.parent.mkdir()
    file.write_text("# mine\nPORT = 1")
    file.chmod(0o644)
    add_secret(file, "PEPPER", "b")
    assert file.read_text() == '# mine\nPORT = 1\nPEPPER = "b"\n'
    assert mode(file) == 0o600


@pytest.mark.parametrize("text", ['KEY = "a"', 'KEY: str = "a"', 'A = KEY = "a"', "KEY = None"])
def test_add_overwrites_nothing(file: Path, text: str) -> None:
    """A key that is there in any form is left as it is."""
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(SetupError, match="has KEY already"):
        add_secret(file, "KEY", "b")
    assert file.read_text() == text


def test_rotate(file: Path) -> None:
    """The old SECRET_KEY becomes the first of the fallbacks, before older ones."""
    for value in "abc":
        if value == "a":
            add_secret(file, "SECRET_KEY", value, make_folder=True)
        else:
            assert rotate_secret(file, "SECRET_KEY", value) == "SECRET_KEY_FALLBACKS"
    assert values(file) == {"SECRET_KEY": "c", "SECRET_KEY_FALLBACKS": ["b", "a"]}
    assert mode(file) == 0o600


def test_rotate_in_place(file: Path) -> None:
    """Everything around the value stays, also where it is written on several lines."""
    file.parent.mkdir()
    file.write_text("Ä = 'ö'; PEPPER: str = (\n    'a'\n    'b'\n)  # mine\nPORT = 1\n")
    assert rotate_secret(file, "PEPPER", "c") is None
    assert values(file) == {"Ä": "ö", "PEPPER": "c", "PORT": 1}
    assert "# mine" in file.read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no SECRET_KEY: add one with buttress secret new SECRET_KEY"),
        ("SECRET_KEY = 1", "is not a plain text"),
        ("SECRET_KEY = make()", "is not a plain value"),
        ("SECRET_KEY = 'a'; SECRET_KEY_FALLBACKS = 'b'", "is not a list"),
        ("SECRET_KEY = (", "is not valid Python"),
        ("x = '\ud800'", "cannot be read"),
    ],
)
def test_rotate_refuses(file: Path, text: str, message: str) -> None:
    """What cannot be rotated safely is left as it is."""
    file.parent.mkdir()
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    before = file.read_bytes()
    with pytest.raises(SetupError, match=message):
        rotate_secret(file, "SECRET_KEY", "new")
    assert file.read_bytes() == before


def test_rotate_without_file(file: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(SetupError, match=r"config\.py cannot be read"):
        rotate_secret(file, "SECRET_KEY", "new")


@pytest.mark.parametrize(
    ("make_folder", "message"), [(False, "there is no folder"), (True, "cannot be made")]
)
def test_cannot_be_written(tmp_path: Path, make_folder: bool, message: str) -> None:
    """A place that cannot be written is named, and no draft stays behind."""
    (tmp_path / "instance").write_text("a file")
    with pytest.raises(SetupError, match=message):
        add_secret(tmp_path / "instance" / "config.py", "KEY", "a", make_folder=make_folder)
    assert [it.name for it in tmp_path.iterdir()] == ["instance"]


def test_symbolic_link(tmp_path: Path) -> None:
    """A link stays a link: the file behind it is written."""
    real = tmp_path / "real.py"
    real.write_text("")
    (tmp_path / "link.py").symlink_to(real)
    add_secret(tmp_path / "link.py", "KEY", "a")
    assert (tmp_path / "link.py").is_symlink()
    assert values(real) == {"KEY": "a"}


def test_rotate_by_end(file: Path) -> None:
    """An old secret of tokens ends by itself, and those that have ended are dropped."""
    past, future = "2020-01-01T00:00:00Z", "2199-01-01T00:00:00Z"
    text = f"JWT_SECRET_KEY = 'a'\nJWT_PREVIOUS_KEYS = {{'{past}': 'x', '{future}': 'y'}}\n"
    file.parent.mkdir()
    file.write_text(text, encoding="utf-8")
    for value in ("b", "c"):
        assert rotate_secret(file, "JWT_SECRET_KEY", value) == "JWT_PREVIOUS_KEYS"
        time.sleep(0.002)  # the ends tell them apart
    found = values(file)
    assert (found["JWT_SECRET_KEY"], list(found["JWT_PREVIOUS_KEYS"].values())) == (
        "c",
        ["b", "a", "y"],
    )
    ends = [datetime.fromisoformat(it) for it in found["JWT_PREVIOUS_KEYS"]]
    assert timedelta(days=30) < ends[0] - datetime.now(UTC) < timedelta(days=32)


def test_rotate_refuses_what_is_no_mapping(file: Path) -> None:
    """What cannot be rotated safely is left as it is."""
    file.parent.mkdir()
    file.write_text("JWT_SECRET_KEY = 'a'\nJWT_PREVIOUS_KEYS = ['b']\n", encoding="utf-8")
    with pytest.raises(SetupError, match="is not a mapping"):
        rotate_secret(file, "JWT_SECRET_KEY", "new")
