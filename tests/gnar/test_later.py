"""What the Gnar document has and this version does not."""

from __future__ import annotations

import pytest

from .conftest import Make


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        ("argon2", "auth"),
        ("generate_password_hash", "auth"),
        ("check_password_hash", "auth"),
    ],
)
def test_told(make: Make, name: str, extension: str) -> None:
    """Using it says with which extension it comes."""
    with pytest.raises(AttributeError, match=f"^{name} .* comes with the extension '{extension}'"):
        getattr(make(), name)


def test_database(make: Make) -> None:
    """Without a database there is no ``db``."""
    app = make()
    app.boot()
    with pytest.raises(AttributeError, match="shop has no 'db'"):
        _ = app.db


def test_anything_else(make: Make) -> None:
    """An attribute that nobody knows is missing as anywhere."""
    with pytest.raises(AttributeError, match="no attribute 'powder'"):
        _ = make().powder
