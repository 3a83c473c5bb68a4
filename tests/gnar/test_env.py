"""`GnarApp.env`, the lookup of variables with the application's prefix."""

from __future__ import annotations

import os

import pytest

from .conftest import Make

LONG = "a-long-key-of-the-shop-that-nobody-guesses"


def test_reads(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable has the prefix, and the name in any case."""
    monkeypatch.setenv("GNAR_SNOW_DEPTH", "120")
    assert (make().env("SNOW_DEPTH"), make().env("snow_depth")) == ("120", "120")


@pytest.mark.parametrize("prefix", ["MY_APP", "my_app"])
def test_prefix(make: Make, monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    """Another prefix, in any case, reads other variables."""
    monkeypatch.setenv("GNAR_SNOW", "gnar")
    monkeypatch.setenv("MY_APP_SNOW", "mine")
    assert make(env_prefix=prefix).env("SNOW") == "mine"


def test_default(make: Make) -> None:
    """The default stands for a variable that is not set."""
    assert make().env("SNOW_DEPTH", "0") == "0"


def test_empty_counts(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is set and empty is empty, whatever the default."""
    monkeypatch.setenv("GNAR_SNOW_DEPTH", "")
    assert make().env("SNOW_DEPTH", "0") == ""


def test_missing(make: Make) -> None:
    """A variable that is missing without default is named."""
    with pytest.raises(ValueError, match='^Environment variable "GNAR_SNOW" does not exist.$'):
        make().env("snow")


def test_secret(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that the configuration took out of the environment is still found."""
    monkeypatch.setenv("GNAR_SECRET_KEY", LONG)
    app = make()
    app.boot()
    assert "GNAR_SECRET_KEY" not in os.environ
    assert app.env("SECRET_KEY") == LONG
    monkeypatch.delenv("GNAR_SECRET_KEY", raising=False)
