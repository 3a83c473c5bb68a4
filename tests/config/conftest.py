"""An application whose configuration is loaded, in a folder of its own."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from buttress.config import Configuration, SectionSpec, Vault, load
from buttress.errors import ConfigError
from tests.config.sections import SPECS


class Shop:
    """The package ``shop`` below the current folder, with its instance folder beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ: dict[str, str] = {}
        self.vault = Vault()
        self.sections: Sequence[SectionSpec] = SPECS
        self.reserves: Sequence[str] = ("RATELIMIT_",)
        self.package, self.prefix = "shop", "SHOP"
        (folder / "shop").mkdir()

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text), "utf-8")
        return path

    def name(self, name: str, text: str) -> Path:
        """Write a file and name it in the environment."""
        path = self.write(name, text)
        self.environ["SHOP_CONFIG"] = str(path)
        return path

    def load(self, arguments: object = None, **options: Mapping[str, object]) -> Configuration:
        return load(
            package=self.package,
            prefix=self.prefix,
            root_path=self.folder / self.package.replace(".", "/"),
            instance_path=self.folder / "instance",
            sections=self.sections,
            reserves=self.reserves,
            arguments=arguments,
            environ=self.environ,
            vault=self.vault,
            **options,
        )

    def problems(
        self, arguments: object = None, **options: Mapping[str, object]
    ) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as caught:
            self.load(arguments, **options)
        return caught.value.problems

    def origin(self, key: str, configuration: Configuration) -> str:
        return next(row.origin for row in configuration.rows if row.key == key)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Give a shop whose folder is the current one."""
    monkeypatch.chdir(tmp_path)
    return Shop(tmp_path)
