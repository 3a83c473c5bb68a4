"""Secrets of tokens."""

from __future__ import annotations

import pytest

from buttress.auth.tokens import digest_of, id_of, new_secret


def test_secrets() -> None:
    """Secrets differ, tell their id, and have 256 bits beside it."""
    secrets = {new_secret() for _ in range(100)}
    assert len({token_id for _, token_id in secrets}) == 100
    for secret, token_id in secrets:
        assert id_of(secret) == token_id
        assert len(secret.rpartition("_" if "_" not in secret[20:] else token_id)[2]) >= 43


@pytest.mark.parametrize(
    "wrong", ["", "bt_", "bt_abc_def", "xx_" + "a" * 16 + "_" + "b" * 43, "bt_" + "a" * 61]
)
def test_what_is_no_secret(wrong: str) -> None:
    """What has another form is no secret of ours."""
    assert id_of(wrong) is None


def test_nothing_of_a_secret_is_kept() -> None:
    """Its digest says nothing of a secret."""
    secret, _ = new_secret()
    assert secret[-43:] not in digest_of(secret)
    assert len(digest_of(secret)) == 64
