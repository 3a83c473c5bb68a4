"""How long to pause before something that failed is tried again."""

from __future__ import annotations

import random
from collections.abc import Iterator


def pauses(first: float, longest: float) -> Iterator[float]:
    """Give pauses in seconds that double from ``first`` up to ``longest``, without end.

    Each is drawn between half of that and the whole, so that many who fail at once do not come
    back at once.
    """
    pause = first
    while True:
        yield pause * random.uniform(0.5, 1)  # noqa: S311  # jitter
        pause = min(longest, 2 * pause)
