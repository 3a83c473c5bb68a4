"""Loading without running."""

from __future__ import annotations

import pytest

from buttress import Service
from buttress.loading import LOADING, recorded, recording


def test_recorded() -> None:
    """While something records, an application that would run is noted and must return."""
    app = Service("shop")
    with recording() as apps:
        assert recorded(app) is True
    assert apps == [app]


def test_not_recorded() -> None:
    """Otherwise it runs."""
    assert recorded(Service("shop")) is False


def test_ends_with_an_error() -> None:
    """Recording ends also where the module fails."""
    with pytest.raises(OSError, match="no"), recording():
        raise OSError("no")
    assert LOADING.get() is None
