"""Build the wheel of every distribution and try them as a stranger would: `make dist`.

The wheels go to dist/. They are installed into an empty environment with the locked
dependencies; there every layout of `buttress new` is written, tested, served and stopped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.running import free_port, running

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
UV = Path(sys.executable).with_name("uv")
LAYOUTS = ROOT / "src/buttress/cli/layouts"


def main() -> None:
    """Build, install and try everything; the first failure ends it."""
    build(projects())
    with tempfile.TemporaryDirectory(prefix="buttress-dist-") as folder:
        place = Path(folder)
        bin_folder = install(place / "venv")
        for layout in layouts():
            try_layout(layout, place / layout, bin_folder)
    print(f"{len(list(DIST.glob('*.whl')))} wheels in dist/, {len(layouts())} layouts served")


def projects() -> list[Path]:
    """List the folders of our distributions."""
    return [ROOT, *(path.parent for path in sorted(ROOT.glob("apps/*/pyproject.toml")))]


def layouts() -> list[str]:
    """List the layouts of projects that `buttress new` writes."""
    return sorted(path.name for path in LAYOUTS.iterdir() if path.is_dir())


def build(folders: list[Path]) -> None:
    """Build one wheel for each folder, with the build backend that is installed here."""
    shutil.rmtree(DIST, ignore_errors=True)
    for folder in folders:
        run(UV, "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable,
            "--out-dir", DIST, folder)  # fmt: skip


def install(venv: Path) -> Path:
    """Make an empty environment with the wheels and pytest; give its folder of commands."""
    run(UV, "venv", "--quiet", "--python", sys.executable, venv)
    pip = (UV, "pip", "install", "--quiet", "--python", venv)
    run(*pip, "--require-hashes", "--requirement", ROOT / "requirements/core.txt")
    run(*pip, "--no-deps", *sorted(DIST.glob("*.whl")))
    run(*pip, "--constraint", ROOT / "requirements/dev.txt", "pytest")
    return venv / "bin"


def try_layout(layout: str, folder: Path, bin_folder: Path) -> None:
    """Write a project, run its test, serve it and stop it."""
    folder.mkdir()
    run(bin_folder / "buttress", "new", "shop", "--layout", layout, cwd=folder)
    project = folder / "shop"
    run(bin_folder / "buttress", "check", cwd=project)
    run(bin_folder / "python", "-m", "pytest", "-q", cwd=project)
    with running(project, free_port(), bin_folder=bin_folder) as service:
        code = service.stop()
    if code:
        sys.exit(f"dist: the {layout} project ended with exit code {code}")


def run(*command: Path | str, cwd: Path = ROOT) -> None:
    """Run one command with nothing of this environment's Python; end when it fails."""
    names = {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"}
    environ = {name: value for name, value in os.environ.items() if name not in names}
    if subprocess.run(command, cwd=cwd, env=environ, check=False).returncode:
        sys.exit(f"dist: this failed: {' '.join(str(word) for word in command)}")


if __name__ == "__main__":
    main()
