from __future__ import annotations

from collections.abc import Callable

import pytest

from buttress import ConfigError, Service
from buttress.config import Secret
from buttress.limiter import LimiterSettings

Make = Callable[..., Service]


@pytest.mark.parametrize(
    "url",
    ["memory://", "redis://h", "rediss://u:p@h:7/2", "unix:///run/redis.sock", "redis://[::1]:7/0"],
)
def test_places(url: str) -> None:
    """Memory and Redis are places to count in."""
    assert list(LimiterSettings(url=Secret(url)).problems()) == []


@pytest.mark.parametrize(
    "url", ["", "memory", "redis:", "memory://x", "mongodb://h", "redis://h:port", "hidden://h"]
)
def test_no_places(make: Make, url: str) -> None:
    """Anything else stops the boot, and is not shown."""
    with pytest.raises(ConfigError, match="LIMITER_URL is no place") as raised:
        make(LIMITER_URL=url)
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize("limits", ["5/minuet", "often", "5/minute; often", "5/minute;", "/minute"])
def test_no_limits(make: Make, limits: str) -> None:
    """A default that is no limit, wholly or in part, stops the boot and is named."""
    with pytest.raises(ConfigError, match="LIMITER_DEFAULT: .* is no limit"):
        make(LIMITER_DEFAULT=limits)


@pytest.mark.parametrize("key", ["RATELIMIT_APPLICATION", "RATELIMIT_META"])
def test_no_limits_in_words_of_flask_limiter(make: Make, key: str) -> None:
    """What is passed through is looked at too, and not first in a request."""
    with pytest.raises(ConfigError, match=f"{key}: 'often' is no limit"):
        make(**{key: "5/minute; often"})


def test_credentials_are_not_shown() -> None:
    """What may be shown of the place has neither name nor password."""
    settings = LimiterSettings(url=Secret("redis://name:word@h:7/2?a=b"))
    assert settings.shown == "redis://h:7/2"


def test_words_of_flask_limiter(make: Make) -> None:
    """Flask-Limiter's own keys are other spellings; the rest is passed through."""
    app = make(
        RATELIMIT_STORAGE_URI="memory://",
        RATELIMIT_DEFAULT="7/day",
        RATELIMIT_STRATEGY="moving-window",
        RATELIMIT_HEADERS_ENABLED="yes",
        RATELIMIT_KEY_PREFIX="mine",
    )
    settings = app.settings.limiter
    assert (settings.default, settings.strategy, settings.headers) == ("7/day", "moving-window", 1)
    assert app.config["RATELIMIT_KEY_PREFIX"] == "mine"
