"""The URL of a directory (RFC 4516), as ``AUTH_USERS`` has it."""

from __future__ import annotations

from urllib.parse import SplitResult, unquote, urlsplit

from msgspec import Struct

from buttress.loopback import is_loopback

PORTS = {"ldap": 389, "ldaps": 636}
EXAMPLE = "ldaps://ldap.example/ou=people,dc=example,dc=com"


class LdapAddress(Struct, frozen=True, kw_only=True):
    """Hold what a URL says: where the directory is, and below which entry its people are."""

    scheme: str
    host: str
    port: int
    base: str

    @property
    def is_loopback(self) -> bool:
        """Tell whether the host is this machine."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def parsed(url: str) -> LdapAddress:
    """Read a URL. Raises `ValueError`, which shows nothing of it, for one that is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is no URL: is there a bracket or a port that is none?") from None
    base = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in PORTS or not parts.hostname or "=" not in base:
        raise ValueError(f"must name a server and an entry below which people are: {EXAMPLE}")
    _check_rest(parts)
    return LdapAddress(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        base=base,
    )


def _check_rest(parts: SplitResult) -> None:
    if parts.username or parts.password:
        raise ValueError(
            "must have no user: set AUTH_LDAP_BIND_DN and AUTH_LDAP_PASSWORD for the account that "
            "searches"
        )
    if parts.query or parts.fragment:
        raise ValueError(
            "must have no ? or #: set AUTH_LDAP_FILTER for a filter, and write them as %3F and %23 "
            "in a name"
        )
