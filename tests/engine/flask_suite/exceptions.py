"""The tests of Flask that pass on Flask and need not pass on a service."""

from __future__ import annotations

#: The id of a test, such as ``tests/test_basic.py::test_session``, and why it may fail.
EXCEPTIONS: dict[str, str] = {}
