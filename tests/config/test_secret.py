"""Secrets."""

from __future__ import annotations

import copy
import json
import pickle
from collections import defaultdict, namedtuple

import msgspec
import pytest

from buttress.config.secret import (
    Secret,
    conceal,
    display,
    is_placeholder,
    plain,
    secrets_in,
    weakness,
)
from tests.config.sections import GOOD, OTHER


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


@pytest.mark.parametrize(
    "use",
    [
        json.dumps,
        msgspec.json.encode,
        lambda secret: ", ".join([secret]),
        lambda secret: "x" + secret,
        lambda secret: secret + "x",
    ],
)
def test_a_secret_is_no_text(use):
    """Whatever takes text refuses a secret, rather than to write it out."""
    with pytest.raises(TypeError):
        use(Secret(GOOD))
    assert not hasattr(Secret(GOOD), "__dict__")


def test_a_secret_equals_only_another_one():
    """Equal secrets hash alike, and text is never equal to one."""
    assert Secret(GOOD) == Secret(Secret(GOOD))
    assert Secret(GOOD) != Secret(OTHER)
    assert Secret(GOOD) != GOOD
    assert len({Secret("ü"), Secret("ü"), Secret(OTHER)}) == 2


def test_a_secret_has_the_length_of_its_text():
    """An empty one is false."""
    assert len(Secret(GOOD)) == len(GOOD)
    assert Secret(GOOD)
    assert not Secret("")


def again(secret: Secret) -> Secret:
    return pickle.loads(pickle.dumps(secret))  # noqa: S301  # our own bytes


@pytest.mark.parametrize("make", [again, copy.copy, copy.deepcopy])
def test_a_secret_can_be_copied(make):
    """A copy is the same secret and masked as well."""
    made = make(Secret(GOOD))
    assert (type(made), made.reveal(), repr(made)) == (Secret, GOOD, "'********'")


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
        ("X", {"privateKey": "tulip", "n": 1}, "{'privateKey': '********', 'n': 1}"),
        ("X", ["amqp://u:tulip@h/v"], "['amqp://u:********@h/v']"),
        ("X", b"amqp://u:tulip@h/v", "b'amqp://u:********@h/v'"),
        ("X", "postgres://u:pa/ss@h/db", "'postgres://u:********@h/db'"),
        ("X", "postgres://u:p@s:s/w?o#rd@h/db", "'postgres://u:********@h/db'"),
        ("X", "see redis://:tulip@h and a@b", "'see redis://:********@h and a@b'"),
        ("X", "db://h/x?user=u&password=tu;lip", "'db://h/x?user=u&password=********'"),
        ("X", "db://u:rose@h/x?api-key=tulip", "'db://u:********@h/x?api-key=********'"),
        ("X", "host=h password='tu lip' port=1", "'host=h password=******** port=1'"),
        ("X", "Server=h;AccessToken=tulip", "'Server=h;AccessToken=********'"),
        ("X", "http://h:80/a?page=2", "'http://h:80/a?page=2'"),
        ("X", "http://h/a@b", "'http://h/a@b'"),
        ("OWN_PASSWORD", 123456, "'********'"),
        ("OWN_PASSWORD", "", "''"),
        ("OWN_PASSWORD", None, "None"),
        ("PASSWORDS", {"db": ["tulip"]}, "{'db': ['********']}"),
        ("X", {"a": ({"tulip://u:rose@h"}, 1)}, "{'a': ({'tulip://u:********@h'}, 1)}"),
        ("X", frozenset({Secret(GOOD)}), "frozenset({'********'})"),
        ("CACHE_KEY_PREFIX", "shop:", "'shop:'"),
        ("PORT", 8000, "8000"),
    ],
)
def test_display_masks_what_looks_secret(key, value, shown):
    """Secrets, secret names and passwords in addresses are masked, the rest is shown."""
    assert display(key, value) == shown


def test_plain_reveals_also_inside_containers():
    """The projection has the text of secrets wherever they are, and prints none of it."""
    text = plain(["a", {"k": (Secret(GOOD), {Secret(OTHER)})}])
    assert text == ["a", {"k": (GOOD, {OTHER})}]
    assert str(text[1]["k"][0]) == GOOD
    assert repr(text) == "['a', {'k': ('********', {'********'})}]"


def test_plain_leaves_alone_what_has_no_secret():
    """A container of the application's own is the same object."""
    own = defaultdict(list, {"a": [namedtuple("Point", "x")(1)]})
    assert plain(own) is own


def test_secrets_are_found_inside_containers():
    """Whatever holds them."""
    value = {"a": [Secret("1")], "b": ({Secret("2")}, "3"), "c": Secret("4")}
    assert [one.reveal() for one in secrets_in(value)] == ["1", "2", "4"]


def test_conceal_masks_secrets_in_the_text_of_others():
    """The text and its repr are masked, the longest first, and words of placeholders stay."""
    secrets = ["tulip", "tulip\\rose", "password"]
    text = f"no password: {secrets[1]!r} nor {secrets[1]} nor tulip"
    assert conceal(text, secrets) == "no password: '********' nor ******** nor ********"
