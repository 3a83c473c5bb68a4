"""Log lines as a reader sees them."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest


def fields(out: str) -> list[dict[str, Any]]:
    """Parse JSON lines and give the ``Fields`` of each."""
    return [json.loads(line)["Fields"] for line in out.splitlines()]


def record(message: object, *args: object, **attributes: Any) -> logging.LogRecord:
    """Make a record of a logger called ``shop``."""
    made = logging.LogRecord("shop", logging.INFO, "shop.py", 7, message, args, None)
    made.__dict__.update(attributes)
    return made


def raised(error: Exception) -> Any:
    """Raise an error and give what ``exc_info`` would be."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught._excinfo
