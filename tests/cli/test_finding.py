"""Findings: how a command reports what it looked at."""

from __future__ import annotations

import json

import pytest

from buttress.cli.finding import Finding, report

FINDINGS = [Finding("lake", True, "deep"), Finding("snow", False, "melts")]


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Findings go to standard output, warnings were told before; one failure fails all."""
    assert report(FINDINGS, ["odd"], as_json=False) is False
    assert capsys.readouterr() == ("ok      lake: deep\nfailed  snow: melts\n", "")


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON everything is one object."""
    assert report(FINDINGS[:1], ["odd"], as_json=True) is True
    assert json.loads(capsys.readouterr().out) == {
        "ok": True,
        "findings": [{"subject": "lake", "ok": True, "detail": "deep"}],
        "warnings": ["odd"],
    }
