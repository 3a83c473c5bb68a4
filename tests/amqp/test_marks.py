"""Marks of messages that were delivered before."""

from __future__ import annotations

import pytest

from buttress.amqp.marks import Marks

#: Messages as they come: ``x`` is marked, ``.`` is not; and those that are believed.
COMING = {
    "nothing was delivered before": ("....", "    "),
    "a consumer died that had two": ("xx..", "xx  "),
    "a consumer died later on": ("..xx.", "  xx "),
    "the broker was killed": ("xxxxx", "xx   "),
    "what it kept is through": ("xxxx.x", "xx   x"),
    "one was not in hand": (".xx.x", " xx x"),
}


@pytest.mark.parametrize(("coming", "believed"), COMING.values(), ids=COMING.keys())
def test_marks_that_are_believed(coming: str, believed: str) -> None:
    """The first of a connection are, and all once a message came without one."""
    marks = Marks(2)
    found = ["x" if marks.believes(marked=it == "x") else " " for it in coming]
    assert "".join(found) == believed
