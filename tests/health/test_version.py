from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from buttress import ConfigError, Service
from buttress.health.version import package_version
from tests.services import Make

Package = Callable[[Mapping[str, str]], Path]
STAMPED = '{"version": "1.2", "commit": "abc"}'


def version(app: Service) -> Any:
    """Ask for the version."""
    answer = app.test_client().get("/__version__")
    assert answer.status_code == 200
    return answer.get_json()


@pytest.mark.parametrize("place", ["shop/version.json", "version.json", "instance/version.json"])
def test_stamped(make: Make, package: Package, place: str) -> None:
    """The file that the build leaves is found in the package, beside it and in the instance."""
    package({place: STAMPED})
    assert version(make()) == {"version": "1.2", "commit": "abc"}


def test_named_file(make: Make, package: Package) -> None:
    """HEALTH_VERSION_FILE names another file, which counts above those."""
    package({"shop/version.json": "{}", "shop/built.json": STAMPED})
    assert version(make(HEALTH_VERSION_FILE="built.json"))["commit"] == "abc"


def test_package_without_distribution(make: Make, package: Package) -> None:
    """Without a file, the package's own ``__version__`` counts, else nothing is known."""
    package({"ski/__init__.py": '__version__ = "3"'})
    assert package_version("ski") == {"source": "ski", "version": "unknown"}
    assert version(make()) == {"source": "shop", "version": "unknown"}


def test_package_of_a_distribution() -> None:
    """A package of an installed distribution has the version of that."""
    from importlib.metadata import version as installed

    assert package_version("flask.json") == {"source": "flask", "version": installed("flask")}


@pytest.mark.parametrize(
    ("text", "named"), [(None, "cannot read .*built.json: No such file"), ("[]", "no JSON object")]
)
def test_bad_file(make: Make, package: Package, text: str | None, named: str) -> None:
    """A named file that is missing or malformed stops the boot."""
    if text is not None:
        package({"shop/built.json": text})
    with pytest.raises(ConfigError, match=named):
        make(HEALTH_VERSION_FILE="built.json")
