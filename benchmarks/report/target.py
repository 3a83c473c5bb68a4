"""What a run has to reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K")


@dataclass(frozen=True)
class Target(Generic[K]):
    """A least ratio of one subject's figure to another's."""

    what: str
    subject: K
    against: K
    least: float

    def ratio(self, figures: Mapping[K, float]) -> float | None:
        """Divide the one by the other; ``None`` where one of the two was not measured."""
        if self.subject not in figures or self.against not in figures:
            return None
        return figures[self.subject] / figures[self.against]

    def verdict(self, figures: Mapping[K, float]) -> str | None:
        """Say whether it is met; ``None`` where one of the two was not measured."""
        ratio = self.ratio(figures)
        if ratio is None:
            return None
        word = "met" if ratio >= self.least else "**not met**"
        return f"- {self.what}: {ratio:.2f}× (target ≥ {self.least:g}×), {word}"


def verdicts(
    targets: Iterable[Target[K]], speeds: Mapping[K, float], thrift: Mapping[K, float]
) -> str:
    """List the verdicts on what was measured, by speed; give the ratios of processor time too.

    Both are better the higher they are: ``thrift`` holds requests per second of processor time.
    """
    return "\n".join(
        f"{verdict}; by processor time {target.ratio(thrift):.2f}×"
        for target in targets
        if (verdict := target.verdict(speeds))
    )
