from __future__ import annotations

from base64 import b64decode
from hashlib import sha256

from buttress.web.page import POLICY, page


def test_everything_is_escaped() -> None:
    """No member of a problem can bring markup onto the page."""
    names = ("status", "title", "detail", "code", "request_id")
    written = page({name: f"<{name}>" for name in names})
    assert all(f"&lt;{name}&gt;" in written for name in names)
    assert not any(f"<{name}>" in written for name in ("status", "detail", "code", "request_id"))


def test_policy_allows_the_style() -> None:
    """The policy of the page names the hash of its style, and nothing more."""
    text = page(dict.fromkeys(("status", "title", "detail", "code", "request_id"), ""))
    style = text.partition("<style>")[2].partition("</style>")[0]
    given = POLICY.partition("'sha256-")[2].partition("'")[0]
    assert b64decode(given) == sha256(style.encode()).digest()
    assert "unsafe" not in POLICY
