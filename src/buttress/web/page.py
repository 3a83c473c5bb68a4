"""The page on which a browser shows an error."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from markupsafe import escape

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:12vh auto;padding:0 1rem}"
    "h1{font-size:1.75rem;line-height:1.25;font-weight:600}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit}"
    "footer{opacity:.7;font-size:.85rem;overflow-wrap:anywhere}"
)
_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
#: Lets the page have its own style and nothing else.
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'"


def page(problem: Mapping[str, Any]) -> str:
    """Write a problem document as a page; everything on it is escaped."""
    names = ("status", "title", "detail", "code", "request_id")
    shown = {name: escape(str(problem[name])) for name in names}
    title = f"{shown['status']} {shown['title']}"
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{STYLE}</style>\n'
        f"<h1>{title}</h1>\n<pre>{shown['detail']}</pre>\n"
        f"<footer>{shown['code']} · request {shown['request_id']}</footer>\n</html>\n"
    )
