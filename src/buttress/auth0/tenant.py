"""The tenant: what is asked of it, by HTTPS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import requests

from buttress.auth0.settings import Auth0Settings

#: Bytes that an answer may have.
LONGEST = 256 * 1024
#: What is raised by a tenant that does not answer, or whose answer is none.
FAILURES = (requests.RequestException, msgspec.DecodeError, ValueError, RecursionError)


class TenantDown(Exception):
    """Raised when the tenant does not answer as it should, for a reason for the log alone."""


class TenantRefuses(Exception):
    """Raised when the tenant refuses; ``error`` is the code of RFC 6749, 5.2."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class Tenant:
    """Ask a tenant. Any thread may; raises `TenantDown`."""

    def __init__(self, settings: Auth0Settings) -> None:
        self._issuer = settings.issuer
        self._timeout = settings.timeout
        self._verify = True if settings.ca_file is None else str(settings.ca_file)

    def jwks(self) -> Mapping[str, Any]:
        """Give the set of its public keys (RFC 7517, 5)."""
        return self._ask("GET", ".well-known/jwks.json")

    def tokens(self, form: Mapping[str, str]) -> Mapping[str, Any]:
        """Exchange a code for tokens (RFC 6749, 4.1.3). Raises `TenantRefuses`."""
        return self._ask("POST", "oauth/token", form)

    def _ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        try:
            # Each has a connection of its own: there are few, and then long none.
            with requests.Session() as session:
                session.trust_env = False
                with session.request(
                    method,
                    self._issuer + path,
                    data=form,
                    headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                    timeout=(self._timeout, self._timeout),
                    verify=self._verify,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    return _read(response)
        except FAILURES as error:
            raise TenantDown(f"{self._issuer}{path}: {error}") from error


def _read(response: requests.Response) -> dict[str, Any]:
    """Read the answer. Raises `TenantRefuses`, and `ValueError` for one that is none."""
    status = response.status_code
    if status != 200 and not 400 <= status < 500:
        raise ValueError(f"it answers {status}")
    found = msgspec.json.decode(_content(response), type=dict[str, Any])
    if status == 200:
        return found
    error = found.get("error")
    if status == 429 or not isinstance(error, str):
        raise ValueError(f"it answers {status}")
    raise TenantRefuses(error[:80])


def _content(response: requests.Response) -> bytes:
    if "Content-Encoding" in response.headers:
        raise ValueError("its answer is compressed, which was not asked for")
    content = b""
    for part in response.iter_content(16_384):
        content += part
        if len(content) > LONGEST:
            raise ValueError(f"its answer has more than {LONGEST} bytes")
    return content
