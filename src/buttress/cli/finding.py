"""What a command found out about one part of the application, and how it is reported."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

import click


class Finding(NamedTuple):
    """What was looked at, whether it is well, and the details."""

    subject: str
    ok: bool
    detail: str


def report(findings: Sequence[Finding], warnings: Sequence[str], *, as_json: bool) -> bool:
    """Print findings, as text or as one JSON object, and tell whether all is well.

    The warnings are for the object: in text they were told when the application was loaded.
    """
    ok = all(finding.ok for finding in findings)
    if as_json:
        rows = [finding._asdict() for finding in findings]
        click.echo(json.dumps({"ok": ok, "findings": rows, "warnings": list(warnings)}))
        return ok
    for finding in findings:
        click.echo(f"{'ok' if finding.ok else 'failed':6}  {finding.subject}: {finding.detail}")
    return ok
