"""Settings of the login pages, and of the login by OpenID Connect."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, field

from buttress.auth.login.target import within_site
from buttress.config import Key, Secret, Section
from buttress.loopback import is_loopback

#: A scope-token (RFC 6749, 3.3), without what a header or a log would need to escape.
_WORD = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


class LoginSettings(Section):
    """Say where the login pages lead to."""

    home: Annotated[
        str, Meta(description="The path that a login leads to where no page asked for it.")
    ] = "/"
    redirect: Annotated[
        bool,
        Meta(
            description="Send browsers that open a protected page to the login; other clients get "
            "401 in any case."
        ),
    ] = True

    def problems(self) -> Iterable[str]:
        """Name a home that is elsewhere."""
        if within_site(self.home) is None:
            yield f"AUTH_LOGIN_HOME={self.home!r} is no path of this site: write '/' or '/start'."


class OidcSettings(Section):
    """Say which OpenID provider users may log in with, and what its claims mean here."""

    issuer: Annotated[
        str,
        Meta(
            description="The issuer identifier of the provider, as `https://login.example`; empty: "
            "nobody logs in by OpenID Connect. It is compared letter by letter."
        ),
    ] = ""
    client_id: Annotated[str, Meta(description="What this service is called at the provider.")] = ""
    client_secret: Annotated[
        Secret | None,
        Key(min_length=0),
        Meta(description="Its secret at the provider; a public client has none."),
    ] = None
    scopes: Annotated[
        tuple[str, ...],
        Meta(description="What the provider is asked for; `openid` must be among them."),
    ] = ("openid", "email")
    roles: Annotated[
        dict[str, tuple[str, ...]],
        Meta(
            description="The roles that each value of the claim `AUTH_OIDC_ROLES_CLAIM` gives; "
            "where set, each login sets the user's roles anew."
        ),
    ] = field(default_factory=dict)
    roles_claim: Annotated[
        str, Meta(description="The claim that lists what `AUTH_OIDC_ROLES` translates.")
    ] = "groups"
    logout: Annotated[
        bool,
        Meta(
            description="Whether users who came from the provider log out there too, where it can "
            "do that; it must know the address of the logout page."
        ),
    ] = True
    label: Annotated[
        str, Meta(description="What the login page calls the provider; by default its host.")
    ] = ""
    ca_file: Annotated[
        Path | None,
        Meta(
            description="File with the certificates of the authorities that the provider is "
            "trusted by (PEM), instead of the public ones."
        ),
    ] = None

    def problems(self) -> Iterable[str]:
        """Name an issuer that is none or in the clear, and what a client lacks."""
        if not self.issuer:
            return
        if not may_be_asked(self.issuer):
            yield (
                f"AUTH_OIDC_ISSUER={self.issuer!r} is no issuer: write https://…, without a query; "
                "http: is for this machine only."
            )
        if not self.client_id:
            yield "AUTH_OIDC_CLIENT_ID is missing: the provider gives one for this service."
        if "openid" not in self.scopes:
            yield "AUTH_OIDC_SCOPES lacks 'openid', without which nobody is identified."
        if self.ca_file is not None and not self.ca_file.is_file():
            yield f"AUTH_OIDC_CA_FILE: there is no file {self.ca_file}."
        for scope in self.scopes:
            if not _WORD.fullmatch(scope):
                yield f"AUTH_OIDC_SCOPES: {scope!r} is no scope: write one word."


def may_be_asked(url: object) -> bool:
    """Tell whether this is an address that identities may be asked at: HTTPS, or this machine."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        host = "" if parts is None else parts.hostname or ""
    except ValueError:
        return False
    if parts is None or not host or parts.username or parts.query or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
