"""Generated secrets in a Python file of settings, readable by its owner alone."""

from __future__ import annotations

import ast
import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from buttress.config.section import SECRET_BYTES
from buttress.errors import SetupError

#: Keys whose old values go on being accepted, and the key that holds them: a list, newest first,
#: or a mapping from the time at which each ends.
FALLBACKS = {"SECRET_KEY": "SECRET_KEY_FALLBACKS", "JWT_SECRET_KEY": "JWT_PREVIOUS_KEYS"}
BY_END = frozenset({"JWT_PREVIOUS_KEYS"})
#: How long an old value is accepted that has an end.
KEPT = timedelta(days=31)

HEAD = "# Secrets of this service: they belong to this machine, not into the repository.\n"


def generate(size: int = SECRET_BYTES) -> str:
    """Make a random secret of ``size`` bytes, written in URL-safe Base64; 32 give 43 characters."""
    return secrets.token_urlsafe(size)


def add_secret(path: Path, key: str, value: str, *, make_folder: bool = False) -> None:
    """Add a key to a file, which is made where it is missing, with mode 0600.

    ``make_folder`` makes the folder around it too, but none around that. Raises `SetupError`
    where the file has the key already, or cannot be read or written.
    """
    text = _read(path, HEAD)
    if key in _values(path, text):
        raise SetupError(
            f"{path} has {key} already and it is left as it is: "
            f"to replace it use buttress secret rotate {key}."
        )
    if make_folder:
        _make_folder(path.parent)
    _write(path, _appended(text, key, value))


def rotate_secret(path: Path, key: str, value: str) -> str | None:
    """Replace a key of a file; give the key whose list now holds the old value, if there is one.

    Raises `SetupError` where the file has no such key, or it is not a plain text.
    """
    text = _read(path)
    old = _literal(path, text, key)
    if not isinstance(old, str):
        raise SetupError(f"{path}: {key} is not a plain text, so it cannot be rotated here.")
    fallbacks = FALLBACKS.get(key)
    text = _with(path, text, key, value)
    if fallbacks:
        older = _literal(path, text, fallbacks) if fallbacks in _values(path, text) else None
        kept = _by_end(old, older) if fallbacks in BY_END else _listed(old, older)
        if kept is None:
            what = "mapping" if fallbacks in BY_END else "list"
            raise SetupError(
                f"{path}: {fallbacks} is not a {what}, so {key} cannot be rotated here."
            )
        text = _with(path, text, fallbacks, kept)
    _write(path, text)
    return fallbacks


def _listed(old: str, older: object) -> list[object] | None:
    """Put an old value before those that are older; ``None`` where they are no list."""
    given = [] if older is None else older
    return [old, *given] if isinstance(given, list | tuple) else None


def _by_end(old: str, older: object) -> dict[str, object] | None:
    """Put an old value beside those that have not ended; ``None`` where they are no mapping."""
    given = {} if older is None else older
    if not isinstance(given, dict):
        return None
    now = datetime.now(UTC)
    end = (now + KEPT).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {end: old, **{until: it for until, it in given.items() if not _has_ended(until, now)}}


def _has_ended(until: object, now: datetime) -> bool:
    """Tell whether a time is past; one that cannot be read is left for the boot to refuse."""
    try:
        return datetime.fromisoformat(str(until)) <= now
    except (ValueError, TypeError):
        return False


def _values(path: Path, text: str) -> dict[str, ast.expr]:
    """Give what is assigned to each name at the top of a file."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError) as error:
        raise SetupError(f"{path} is not valid Python: {error}. Mend it first.") from error
    return {
        target.id: node.value
        for node in body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }


def _literal(path: Path, text: str, key: str) -> object:
    node = _values(path, text).get(key)
    if node is None:
        raise SetupError(f"{path} has no {key}: add one with buttress secret new {key}.")
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise SetupError(f"{path}:{node.lineno}: {key} is not a plain value.") from error


def _with(path: Path, text: str, key: str, value: object) -> str:
    """Give the text with the key set to a value, in its place or at the end."""
    node = _values(path, text).get(key)
    if node is None or node.end_lineno is None or node.end_col_offset is None:
        return _appended(text, key, value)
    lines = text.encode().splitlines(keepends=True)
    first, last = lines[node.lineno - 1], lines[node.end_lineno - 1]
    new = first[: node.col_offset] + _written(value).encode() + last[node.end_col_offset :]
    lines[node.lineno - 1 : node.end_lineno] = [new]
    return b"".join(lines).decode()


def _appended(text: str, key: str, value: object) -> str:
    separator = "" if text.endswith("\n") or not text else "\n"
    return f"{text}{separator}{key} = {_written(value)}\n"


def _written(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _read(path: Path, missing: str | None = None) -> str:
    """Read a file; one that is not there has the text ``missing``, if that is given."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        if missing is not None and isinstance(error, FileNotFoundError | NotADirectoryError):
            return missing
        raise SetupError(f"{path} cannot be read: {error}.") from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise SetupError(f"The folder {folder} cannot be made: {error.strerror}.") from error


def _write(path: Path, text: str) -> None:
    """Replace a file as a whole, so that nobody ever reads half of it."""
    target = path.resolve()
    try:
        if not target.parent.is_dir():
            raise SetupError(f"{path} cannot be written: there is no folder {target.parent}.")
        draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            _write_draft(draft, text)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}.") from error


def _write_draft(draft: Path, text: str) -> None:
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
