"""Bodies of answers, held against what was announced of them."""

from __future__ import annotations

from collections.abc import Iterator

#: Statuses of answers without a body (RFC 9110, 6.4.1).
BODILESS = (204, 304)
#: The length of a body that did not say it.
UNKNOWN = -1


def length_of_body(method: str | None, status: int, length: int) -> int:
    """Give how many bytes a server is to send; `UNKNOWN` where that is whatever there is.

    ``length`` is what the answer said.
    """
    return 0 if method == "HEAD" or status in BODILESS else length


class Measure:
    """How many bytes of one body are still to come."""

    __slots__ = ("left",)

    def __init__(self, length: int = UNKNOWN) -> None:
        #: How many; may be set when it becomes known, before the first is taken.
        self.left = length

    def next_of(self, pieces: Iterator[bytes]) -> bytes | None:
        """Take the next piece that is not empty; ``None`` where the body ends.

        Taking the piece may announce the length. Raises as `fit` and `end` do.
        """
        piece = next(filter(None, pieces), None)
        if piece is not None:
            return self.fit(piece) or None
        self.end()
        return None

    def fit(self, piece: bytes) -> bytes:
        """Check a piece, and cut what goes beyond the length. Raises TypeError for no bytes."""
        if not isinstance(piece, bytes | bytearray | memoryview):
            raise TypeError(f"A body consists of bytes; there is a {type(piece).__name__} in it.")
        piece = bytes(piece)
        if self.left != UNKNOWN:
            piece = piece[: self.left]
            self.left -= len(piece)
        return piece

    def end(self) -> None:
        """Raise ValueError where there should be more."""
        if self.left > 0:
            raise ValueError(f"The body ended {self.left} bytes before its Content-Length.")
