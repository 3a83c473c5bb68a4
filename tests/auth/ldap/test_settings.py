"""Settings, addresses and filters of a directory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from buttress.auth.ldap.address import LdapAddress, parsed
from buttress.auth.ldap.filter import NameFilter, escaped
from buttress.auth.ldap.settings import LdapSettings
from buttress.auth.ldap.users import LdapUsers
from buttress.config import Secret
from buttress.errors import ConfigError

WRONG: dict[str, dict[str, Any]] = {
    "a filter without a name": {"filter": "(uid=ann)"},
    "a name in a part of a value": {"filter": "(mail={name}@a.example)"},
    "a name as an attribute": {"filter": "({name}=x)"},
    "a name twice, once in vain": {"filter": "(&(uid={name})(cn=*{name}*))"},
    "a filter without brackets": {"filter": "uid={name}"},
    "a bracket too many": {"filter": "(uid={name}))"},
    "two filters": {"filter": "(uid={name})(cn=x)"},
    "groups of everybody": {"group_filter": "(cn=*)"},
    "a group filter that is none": {"group_filter": "(member={dn}"},
    "an account without password": {"bind_dn": "cn=search,dc=x"},
    "a password without account": {"password": Secret("flock-of-sheep")},
    "an empty password": {"bind_dn": "cn=search,dc=x", "password": Secret("")},
    "no such file": {"ca_file": Path("/no/such/file")},
}
BAD_URLS = {
    "no base": "ldap://ldap.example",
    "a path that is no entry": "ldap://ldap.example/people",
    "no host": "ldap:///dc=x",
    "another scheme": "https://ldap.example/dc=x",
    "a user": "ldap://cn=a:flock-of-sheep@ldap.example/dc=x",
    "a filter": "ldap://ldap.example/dc=x?uid?sub?(a=b)",
    "a port that is none": "ldap://ldap.example:flock-of-sheep/dc=x",
    "half an address": "ldap://[::1/dc=x",
}


def test_nothing_is_wrong() -> None:
    """The defaults fit together, and so does an account with filters of its own."""
    account: dict[str, Any] = {"bind_dn": "cn=search,dc=x", "password": Secret("flock-of-sheep")}
    filters: dict[str, Any] = {
        "filter": "(&(objectClass=person)(|(uid={name})(mail={name})))",
        "group_filter": "(|(member={dn})(memberUid={name}))",
    }
    for settings in ({}, account, filters):
        assert list(LdapSettings(**settings).problems()) == []


@pytest.mark.parametrize("settings", WRONG.values(), ids=WRONG)
def test_a_problem(settings: dict[str, Any]) -> None:
    """What cannot work is named, one sentence each, without a password."""
    (problem,) = LdapSettings(**settings).problems()
    assert problem.startswith("AUTH_LDAP_")
    assert problem.endswith(".")
    assert "flock" not in problem


@pytest.mark.parametrize(
    "settings",
    [{"filter": "(&(uid={name})x)"}, {"group_filter": "(&x(member={dn}))"}],
    ids=["filter", "group_filter"],
)
def test_a_filter_that_is_none(settings: dict[str, Any]) -> None:
    """A filter that cannot be understood stops the start."""
    with pytest.raises(ConfigError, match="_FILTER is no filter"):
        LdapUsers(parsed("ldap://127.0.0.1/dc=x"), LdapSettings(**settings))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ldap://ldap.example/dc=x", ("ldap", "ldap.example", 389, "dc=x")),
        ("ldaps://ldap.example/ou=a%20b,dc=x", ("ldaps", "ldap.example", 636, "ou=a b,dc=x")),
        ("ldap://[::1]:1389/dc=x", ("ldap", "::1", 1389, "dc=x")),
    ],
)
def test_an_address(url: str, expected: tuple[str, str, int, str]) -> None:
    """A URL says where the directory is, and below which entry its people are."""
    scheme, host, port, base = expected
    assert parsed(url) == LdapAddress(scheme=scheme, host=host, port=port, base=base)


@pytest.mark.parametrize("url", BAD_URLS.values(), ids=BAD_URLS)
def test_a_bad_address(url: str) -> None:
    """What is no address is refused, in words that show no password."""
    with pytest.raises(ValueError, match="^(must|is no URL)") as caught:
        parsed(url)
    assert "flock" not in str(caught.value)


def test_an_address_in_words() -> None:
    """Logs show where the directory is, and can be told an IPv6 address from its port."""
    assert str(parsed("ldap://[::1]/dc=x")) == "ldap://[::1]:389"


def test_a_filter_with_a_name() -> None:
    """Whatever stands for the name stays a value, wherever it is compared."""
    names = NameFilter("(|( uid={name})(&(mail={name})(a=b)))")
    assert names.attributes == ("uid", "mail")
    assert names.of("a*)(é") == r"(|( uid=a\2a\29\28\c3\a9)(&(mail=a\2a\29\28\c3\a9)(a=b)))"
    assert names.of_all() == "(|( uid=*)(&(mail=*)(a=b)))"
    assert escaped("{dn}") == r"\7bdn\7d"


def test_ldap3_is_imported_without_a_warning() -> None:
    """Where warnings are errors, ldap3 can be imported all the same, and silences no other."""
    code = "import buttress.auth.ldap.users, warnings; assert warnings.filters[0][0] == 'error'"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
