"""The result of a run: a page and a chart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: Where results are written unless told otherwise; git ignores it.
FOLDER = Path(__file__).parents[1] / "results"


@dataclass(frozen=True)
class Result:
    """What a benchmark found, as Markdown and as SVG."""

    page: str
    chart: str

    def publish(self, name: str, folder: Path) -> None:
        """Print the page, and write both into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.md").write_text(self.page, encoding="utf-8")
        (folder / f"{name}.svg").write_text(self.chart, encoding="utf-8")
        print(self.page)
