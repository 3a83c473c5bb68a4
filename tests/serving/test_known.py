"""Memory for what was checked already."""

from __future__ import annotations

from buttress.serving.known import LONGEST, REMEMBERED, Known


def test_note() -> None:
    """What is noted is known."""
    known: Known[str] = Known()
    known.note("a", "a")
    assert known == {"a"}


def test_long_texts() -> None:
    """A text that is too long is not remembered."""
    known: Known[str] = Known()
    for length in (LONGEST, LONGEST + 1):
        known.note("a" * length, "a" * length)
    assert [len(it) for it in known] == [LONGEST]


def test_full() -> None:
    """A memory that is full begins anew, so it has never more than a certain number."""
    known: Known[str] = Known()
    for number in range(REMEMBERED + 1):
        known.note(str(number), "")
    assert known == {str(REMEMBERED)}
