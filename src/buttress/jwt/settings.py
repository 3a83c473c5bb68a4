"""Settings of tokens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, field

from buttress.config import Secret, Section


class JwtSettings(Section):
    """Say how tokens are signed, how long they last, and for whom they are."""

    secret_key: Annotated[
        Secret | None,
        Meta(
            description="Signs tokens and verifies them (HS256); at least 32 bytes. Required "
            "unless `JWT_ALGORITHM` names another algorithm."
        ),
    ] = None
    previous_keys: Annotated[
        dict[str, Secret],
        Meta(
            description="Secrets that still verify, each under the time at which it ends, such as "
            "`2027-01-31T12:00:00Z`."
        ),
    ] = field(default_factory=dict)
    algorithm: Annotated[
        Literal["HS256", "RS256", "ES256", "EdDSA"],
        Meta(description="By what tokens are signed; all but `HS256` need `JWT_KEYS`."),
    ] = "HS256"
    keys: Annotated[
        tuple[Path, ...],
        Meta(
            description="Files with keys, in PEM or as JWKs. The first private key signs, and all "
            "of them verify."
        ),
    ] = ()
    issuer: Annotated[
        str | None, Meta(description="What tokens say in `iss`; where set, others are refused.")
    ] = None
    audience: Annotated[
        str | None, Meta(description="What tokens say in `aud`; where set, others are refused.")
    ] = None
    access_token_expires_minutes: Annotated[
        float, Meta(description="Minutes that an access token lasts.", gt=0, le=525_600)
    ] = 15.0
    session_hours: Annotated[
        float,
        Meta(
            description="Hours after a login at which its tokens are neither renewed nor "
            "refreshed any more.",
            gt=0,
            le=8784,
        ),
    ] = 12.0
    renew: Annotated[
        bool,
        Meta(
            description="Send a new access token with every answer to a request that had a good "
            "one, in `Authorization` or as the cookie that it came by."
        ),
    ] = False
    leeway: Annotated[
        float,
        Meta(
            description="By how many seconds the clock of who issued a token may be fast.",
            ge=0,
            le=60,
        ),
    ] = 10.0

    @property
    def previous(self) -> list[tuple[Secret, float]]:
        """Give the secrets that still verify, with their ends in seconds since 1970.

        Raises `ValueError` for a time that is none, or that says no offset from UTC.
        """
        return [(key, _moment(until)) for until, key in self.previous_keys.items()]

    def problems(self) -> Iterable[str]:
        """Name a key that is missing, one that nothing uses, and times that do not go together."""
        if self.algorithm == "HS256":
            yield from self._of_secrets()
        else:
            yield from self._of_files()
        if self.access_token_expires_minutes > self.session_hours * 60:
            yield (
                "JWT_ACCESS_TOKEN_EXPIRES_MINUTES is more than JWT_SESSION_HOURS: a token would "
                "outlive its session."
            )

    def _of_secrets(self) -> Iterable[str]:
        if self.secret_key is None:
            yield "JWT_SECRET_KEY is missing: buttress secret new JWT_SECRET_KEY writes one."
        if self.keys:
            yield "JWT_KEYS are not for JWT_ALGORITHM=HS256: remove them, or name the algorithm."
        try:
            _ = self.previous
        except ValueError as error:
            yield f"JWT_PREVIOUS_KEYS: {error}."

    def _of_files(self) -> Iterable[str]:
        if not self.keys:
            yield f"JWT_ALGORITHM={self.algorithm} needs JWT_KEYS: name the file of a private key."
        if self.secret_key is not None or self.previous_keys:
            yield (
                f"JWT_SECRET_KEY and JWT_PREVIOUS_KEYS are not for JWT_ALGORITHM={self.algorithm}: "
                "remove them."
            )


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.timestamp()
    except ValueError:
        pass
    raise ValueError("write each secret under a time such as 2027-01-31T12:00:00Z")
