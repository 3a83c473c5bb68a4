"""Settings of the users in a directory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from buttress.auth.ldap.filter import DN, NAME, NameFilter, is_balanced
from buttress.config import Key, Secret, Section


class LdapSettings(Section):
    """Say how users and their roles are found in a directory; their address is `AUTH_USERS`."""

    bind_dn: Annotated[
        str | None,
        Meta(
            description="The account that searches, such as `cn=search,dc=example,dc=com`; without "
            "one the directory is searched anonymously."
        ),
    ] = None
    password: Annotated[
        Secret | None,
        Key(min_length=0),
        Meta(description="The password of the account that searches."),
    ] = None
    filter: Annotated[
        str,
        Meta(
            description="The filter (RFC 4515) that finds a user by what they typed. The attribute "
            "that it compares first is their name."
        ),
    ] = "(uid={name})"
    id: Annotated[
        str,
        Meta(
            description="The attribute that a user keeps for ever; `objectGUID` in Active "
            "Directory.",
            pattern="^[A-Za-z][A-Za-z0-9-]*$",
        ),
    ] = "entryUUID"
    groups: Annotated[
        str | None,
        Meta(
            description="The entry below which the groups are; the `cn` of each is a role of its "
            "members. By default nobody has a role."
        ),
    ] = None
    group_filter: Annotated[
        str,
        Meta(
            description="The filter that finds the groups of a user, of whom `{dn}` is the entry "
            "and `{name}` the name."
        ),
    ] = "(member={dn})"
    starttls: Annotated[
        Literal["auto", "always", "never"],
        Meta(
            description="When `ldap://` is encrypted. `auto`: always, but not on a loopback "
            "address. `never` sends passwords in the clear."
        ),
    ] = "auto"
    ca_file: Annotated[
        Path | None,
        Meta(
            description="File with the certificates of the authorities that the directory is "
            "trusted by (PEM), instead of the system's."
        ),
    ] = None
    timeout: Annotated[
        float,
        Meta(description="Seconds that one question, such as a login, may take.", gt=0, le=60),
    ] = 5.0
    pool: Annotated[
        int,
        Meta(description="Connections of one process that search at the same time.", ge=1, le=100),
    ] = 4

    def problems(self) -> Iterable[str]:
        """Name filters that are none, half an account, and a file that there is not."""
        try:
            NameFilter(self.filter)
        except ValueError as error:
            yield f"AUTH_LDAP_FILTER {error}."
        if not is_balanced(self.group_filter) or not {DN, NAME} & _places(self.group_filter):
            yield f"AUTH_LDAP_GROUP_FILTER must be a filter with {DN} or {NAME}: (member={DN})."
        if (self.bind_dn is None) != (self.password is None):
            yield (
                "AUTH_LDAP_BIND_DN and AUTH_LDAP_PASSWORD belong together: set both, or none to "
                "search anonymously."
            )
        if self.password is not None and not self.password.reveal():
            yield "AUTH_LDAP_PASSWORD is empty, which a directory takes for no login at all."
        if self.ca_file is not None and not self.ca_file.is_file():
            yield f"AUTH_LDAP_CA_FILE: there is no file {self.ca_file}."


def _places(text: str) -> set[str]:
    return {place for place in (DN, NAME) if place in text}
