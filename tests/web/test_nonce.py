from __future__ import annotations

import pytest

from buttress.web.nonce import with_place_for_nonce


def nonced(policy: str) -> str:
    """Put a nonce into a policy."""
    return "N".join(with_place_for_nonce(policy))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("script-src 'self'", "script-src 'self' 'nonce-N'"),
        ("default-src 'self'", "default-src 'self'; script-src 'self' 'nonce-N'; "
         "style-src 'self' 'nonce-N'"),
        ("default-src 'none'; img-src *", "default-src 'none'; img-src *; script-src 'nonce-N'; "
         "style-src 'nonce-N'"),
        ("default-src 'none'; script-src a.example", "default-src 'none'; "
         "script-src a.example 'nonce-N'; style-src 'nonce-N'"),
        ("script-src 'self'; style-src 'self' 'unsafe-inline'",
         "script-src 'self' 'nonce-N'; style-src 'self' 'unsafe-inline'"),
        ("script-src 'NONE'; SCRIPT-SRC *", "script-src 'nonce-N'"),
        ("script-src a; script-src-elem b", "script-src a 'nonce-N'; script-src-elem b 'nonce-N'"),
        ("script-src a, script-src b", "script-src a 'nonce-N',script-src b 'nonce-N'"),
        ("frame-ancestors 'none'", "frame-ancestors 'none'"),
        ("upgrade-insecure-requests;; ", "upgrade-insecure-requests"),
        ("", ""),
    ],
)  # fmt: skip
def test_nonce_goes_where_it_counts(policy: str, expected: str) -> None:
    """A nonce is added to what decides over scripts and styles, and to nothing else."""
    assert nonced(policy) == expected
