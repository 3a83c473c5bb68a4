from __future__ import annotations

import logging

import pytest
import structlog

from buttress.log.bound import adopt_structlog, release_structlog


def test_adopting_structlog_changes_no_logger_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loggers that come later are the standard ones, and still name the code that logs."""
    monkeypatch.setattr(structlog, "is_configured", lambda: False)
    before = logging.getLoggerClass()
    try:
        assert adopt_structlog()
        assert type(structlog.get_logger("asked.for.by.name").bind()._logger) is before
        assert structlog.get_logger().bind()._logger.name == __name__
        assert logging.getLoggerClass() is before
    finally:
        release_structlog()
