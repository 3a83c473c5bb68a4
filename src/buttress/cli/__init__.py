"""The ``buttress`` command: makes a project, checks it, and serves it."""

from buttress.cli.command import buttress, main

__all__ = ["buttress", "main"]
