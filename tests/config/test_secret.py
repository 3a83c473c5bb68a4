"""Secrets."""

from __future__ import annotations

import pickle

import pytest

from buttress.config.secret import Secret, display, is_placeholder, plain, weakness
from tests.config.sections import GOOD


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{!r}".format, "%s".__mod__, ascii])
def test_a_secret_is_masked_wherever_it_is_shown(show):
    """No way of formatting a secret shows it."""
    assert GOOD not in show(Secret(GOOD))
    assert "********" in show(Secret(GOOD))


def test_a_secret_is_masked_inside_a_container():
    """A container that is shown masks the secrets in it."""
    assert repr({"key": [Secret(GOOD)]}) == "{'key': ['********']}"


def test_reveal_gives_plain_text():
    """What is revealed is an ordinary string with the same text."""
    revealed = Secret(GOOD).reveal()
    assert (type(revealed), revealed) == (str, GOOD)


def test_a_secret_works_as_text():
    """A secret compares, encodes and pickles as the text that it is."""
    secret = Secret(GOOD)
    assert secret == GOOD
    assert secret.encode() == GOOD.encode()
    assert pickle.loads(pickle.dumps(secret)).reveal() == GOOD  # noqa: S301  # our own bytes


@pytest.mark.parametrize(
    "text",
    ["changeme", "Change-Me", "secret", "password", "not a secret", "dev", "xxx", "XXXXXXXXXXXX",
     "xxxx-xxxx",
     "<your secret here>", "${SECRET_KEY}", "{{ secret }}", "********", "secretsecretsecret",
     "please-change-me-before-you-go-live-1234", "your-secret-key", "redis://:changeme@cache"],
)  # fmt: skip
def test_what_people_write_for_the_time_being_is_a_placeholder(text):
    """Placeholders are known in any spelling, length and repetition."""
    assert is_placeholder(text)


@pytest.mark.parametrize("text", [GOOD, "correct horse battery staple", "postgres://u:p4@db/x"])
def test_a_real_secret_is_no_placeholder(text):
    """What somebody thought of or generated is not taken for a placeholder."""
    assert not is_placeholder(text)


def test_a_short_secret_is_weak_unless_its_length_is_not_ours_to_choose():
    """The length is measured in bytes against what the field asks."""
    assert weakness(Secret("tulip-42"), 32) == "is 8 bytes long and must have at least 32"
    assert weakness(Secret("tulip-42"), 0) is None
    assert weakness(Secret("ü" * 15 + "ab"), 32) is None


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("X", Secret(GOOD), "'********'"),
        ("OWN_PASSWORD", "tulip", "'********'"),
        ("STRIPE_API_KEY", b"tulip", "'********'"),
        ("X", {"password": "tulip", "n": 1}, "{'password': '********', 'n': 1}"),
        ("X", ["amqp://u:tulip@h/v"], "['amqp://u:********@h/v']"),
        ("X", "http://h:80/a@b", "'http://h:80/a@b'"),
        ("CACHE_KEY_PREFIX", "shop:", "'shop:'"),
        ("PORT", 8000, "8000"),
    ],
)
def test_display_masks_what_looks_secret(key, value, shown):
    """Secrets, secret names and passwords in addresses are masked, the rest is shown."""
    assert display(key, value) == shown


def test_plain_reveals_also_inside_lists():
    """The projection has the text of a list of secrets, and prints none of it."""
    assert plain([Secret(GOOD)]) == [GOOD]
    assert str(plain([Secret(GOOD)])[0]) == GOOD
    assert repr(plain([Secret(GOOD)])) == "['********']"
