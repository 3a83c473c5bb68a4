"""Configuration: typed sections, the sources that fill them, and where each value comes from."""

from __future__ import annotations

from buttress.config.configuration import (
    COMMAND_LINE,
    Configuration,
    load,
)
from buttress.config.reader import Config
from buttress.config.registry import Field, Registry
from buttress.config.report import Row
from buttress.config.secret import Secret
from buttress.config.section import Key, Section, SectionSpec
from buttress.config.settings import CORE, FlaskSettings, Mode, ServiceSettings, Settings
from buttress.config.sources import instance_folder
from buttress.config.vault import VAULT, Vault
from buttress.errors import NoSuchOption

__all__ = [
    "COMMAND_LINE",
    "CORE",
    "VAULT",
    "Config",
    "Configuration",
    "Field",
    "FlaskSettings",
    "Key",
    "Mode",
    "NoSuchOption",
    "Registry",
    "Row",
    "Secret",
    "Section",
    "SectionSpec",
    "ServiceSettings",
    "Settings",
    "Vault",
    "instance_folder",
    "load",
]
