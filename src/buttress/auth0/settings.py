"""Settings of the extension ``auth0``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, field

from buttress.config import Key, Secret, Section
from buttress.loopback import is_loopback

_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")


class Auth0Settings(Section):
    """Say whose tokens are taken, for which audience, and how people log in there."""

    domain: Annotated[
        str,
        Key(name="AUTH_DOMAIN"),
        Meta(
            description="The tenant, such as `shop.eu.auth0.com` or its own domain. Tokens must "
            "say `https://<domain>/` in `iss`, and its keys are fetched from there."
        ),
    ]
    audience: Annotated[
        str,
        Key(name="AUTH_AUDIENCE"),
        Meta(description="The identifier of this API at the tenant; tokens must have it in `aud`."),
    ]
    client_id: Annotated[
        str | None,
        Key(name="AUTH_CLIENT_ID"),
        Meta(description="The application at the tenant by which people log in."),
    ] = None
    client_secret: Annotated[
        Secret | None,
        Key(name="AUTH_CLIENT_SECRET", min_length=0),
        Meta(description="The secret of that application."),
    ] = None
    redirect_uri: Annotated[
        str | None,
        Key(name="AUTH_REDIRECT_URI"),
        Meta(description="The page to which the tenant sends people back after their login."),
    ] = None
    auth_scopes: Annotated[
        dict[str, tuple[str, ...]],
        Meta(
            description="Scopes that people have by their verified email address, such as "
            '`{"pistes:close": ["ann@shop.example"]}`, beside those in their tokens.'
        ),
    ] = field(default_factory=dict)
    timeout: Annotated[
        float, Meta(description="Seconds that the tenant may be silent.", gt=0, le=60)
    ] = 5.0
    ca_file: Annotated[
        Path | None,
        Meta(
            description="File with the certificates of the authorities that the tenant is trusted "
            "by (PEM), instead of the public ones."
        ),
    ] = None

    @property
    def issuer(self) -> str:
        """Give what tokens say in ``iss``."""
        return f"https://{self.domain}/"

    def problems(self) -> Iterable[str]:
        """Name a tenant that is none, half a login, and a file that there is not."""
        if not _DOMAIN.fullmatch(self.domain):
            yield f"AUTH_DOMAIN={self.domain!r} is no domain: write it as 'shop.eu.auth0.com'."
        if not self.audience:
            yield "AUTH_AUDIENCE is empty, so tokens for anybody would be taken."
        if self.audience == self.client_id:
            yield (
                "AUTH_AUDIENCE is AUTH_CLIENT_ID, so an ID token would pass for an access token: "
                "name the API."
            )
        login = (self.client_id, self.client_secret, self.redirect_uri)
        if None in login and login != (None, None, None):
            yield (
                "AUTH_CLIENT_ID, AUTH_CLIENT_SECRET and AUTH_REDIRECT_URI belong together: set "
                "all of them, or none where nobody logs in here."
            )
        if self.redirect_uri is not None and not _is_safe(self.redirect_uri):
            yield "AUTH_REDIRECT_URI must begin with https://, or be on this machine."
        if self.ca_file is not None and not self.ca_file.is_file():
            yield f"AUTH0_CA_FILE: there is no file {self.ca_file}."


def _is_safe(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    host = parts.hostname or ""
    return bool(host) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    )
