"""A part of the directory of the tests, for one test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qs, urlsplit

from buttress.auth.ldap.address import parsed
from buttress.auth.ldap.connection import ldap3
from buttress.auth.ldap.settings import LdapSettings
from buttress.auth.ldap.users import LdapUsers
from buttress.config import Secret
from tests.servers import miss, server_url

SERVICE_PASSWORD = "flock-of-sheep"


class Directory:
    """Hold people and groups below an entry that is there for one test."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        if not {"authority", "ldaps"} <= query.keys():
            miss("TEST_LDAP_URL does not say ?authority=…&ldaps=…")
        self.host = str(parts.hostname)
        self.ports = {"ldap": parts.port, "ldaps": int(query["ldaps"][0])}
        self.authority = query["authority"][0]
        self.base = f"ou={token_hex(8)},{parts.path[1:]}"
        self.people, self.groups = f"ou=people,{self.base}", f"ou=groups,{self.base}"
        self.service = f"cn=search,{self.base}"
        self.admin = str(parts.username), str(parts.password)
        self.ldap = self._connected()

    def reconnect(self) -> None:
        """Connect anew, after the server was away."""
        self.ldap.strategy.close()
        self.ldap = self._connected()

    def _connected(self) -> Any:
        return ldap3.Connection(
            ldap3.Server(self.host, self.ports["ldap"], get_info=ldap3.NONE),
            *self.admin,
            auto_bind=True,
            raise_exceptions=True,
            check_names=False,
        )

    def make(self) -> None:
        """Make the entries that every test has."""
        for dn in (self.base, self.people, self.groups):
            self.add(dn, "organizationalUnit")
        self.add(
            self.service,
            "organizationalRole",
            "simpleSecurityObject",
            userPassword=SERVICE_PASSWORD,
        )

    def add(self, dn: str, *classes: str, **values: Any) -> str:
        """Make an entry, and give its name."""
        self.ldap.add(dn, list(classes), values)
        return dn

    def person(self, name: str, password: str | None = None, **values: Any) -> str:
        """Make somebody who may log in where a password is given; it may be a hash."""
        given = {"uid": name, "cn": name, "sn": name, **values}
        if password is not None:
            given["userPassword"] = password
        return self.add(f"cn={token_hex(4)},{self.people}", "inetOrgPerson", **given)

    def group(self, name: str, *members: str) -> str:
        """Make a group."""
        dn = f"cn={name},{self.groups}"
        return self.add(dn, "groupOfNames", cn=name, member=list(members))

    def change(self, dn: str, **values: Any) -> None:
        """Change an entry."""
        self.ldap.modify(dn, {key: [(ldap3.MODIFY_REPLACE, [it])] for key, it in values.items()})

    def settings(self, **changes: Any) -> LdapSettings:
        """Give the settings by which it is searched."""
        account = {"bind_dn": self.service, "password": Secret(SERVICE_PASSWORD)}
        return LdapSettings(**{**account, "ca_file": self.authority, **changes})

    @contextmanager
    def users(self, scheme: str = "ldap", **changes: Any) -> Iterator[LdapUsers]:
        """Give the users of it."""
        url = f"{scheme}://{self.host}:{self.ports[scheme]}/{self.people}"
        users = LdapUsers(parsed(url), self.settings(**changes))
        try:
            yield users
        finally:
            users.close()

    def remove(self) -> None:
        """Remove all that was made."""
        self.ldap.search(self.base, "(objectClass=*)", attributes=["1.1"])
        for dn in sorted((it["dn"] for it in self.ldap.response), key=len, reverse=True):
            self.ldap.delete(dn)
        self.ldap.unbind()


@contextmanager
def directory_at(url: str) -> Iterator[Directory]:
    """Make one in a server of the tests."""
    made = Directory(url)
    try:
        made.make()
        yield made
    finally:
        made.remove()


@contextmanager
def shared_directory() -> Iterator[Directory]:
    """Make one in the server that the tests share."""
    with directory_at(server_url("slapd")) as made:
        yield made
