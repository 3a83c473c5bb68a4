"""The extension ``templates``: where the application's templates are.

Escaping is Flask's own, on for ``.html``, ``.htm``, ``.xml``, ``.xhtml`` and ``.svg``; in
development, templates are read again when they change.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from buttress.errors import ConfigError
from buttress.extension import Extension
from buttress.web.settings import TemplatesSettings

if TYPE_CHECKING:
    from buttress.service import Service


class Templates:
    """What ``app.templates`` is; ``folder`` is ``None`` where the application has none."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder


class TemplatesExtension(Extension[TemplatesSettings, Templates]):
    """Give the application its own folder of templates."""

    name = "templates"
    settings = TemplatesSettings

    def build(self, app: Service, settings: TemplatesSettings) -> Templates:
        """Make it. Raises `ConfigError` for a folder that is set and does not exist."""
        if settings.folder is not None:
            _use(app, Path(app.root_path, settings.folder))
        folder = Path(app.root_path, app.template_folder) if app.template_folder else None
        return Templates(folder if folder and folder.is_dir() else None)


def _use(app: Service, folder: Path) -> None:
    if not folder.is_dir():
        raise ConfigError(
            [f"TEMPLATES_FOLDER: there is no folder {folder}: make it, or name another one."]
        )
    app.template_folder = str(folder)
    # Flask remembers the loader of the folder that it was made with.
    app.__dict__.pop("jinja_loader", None)
