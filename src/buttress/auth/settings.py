"""Settings of the extension ``auth``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import Meta, field

from buttress.auth.policy import SCOPE
from buttress.config import Key, Secret, Section

_REALM = re.compile(r"[\w .,:@/-]*", re.ASCII)

#: Least memory (KiB), passes and lanes of Argon2id outside of development (OWASP's floor).
FLOOR = {"memory_cost": 19_456, "time_cost": 2, "parallelism": 1}


class AuthSettings(Section):
    """Say who may log in, by what requests are recognised, and how passwords are hashed."""

    users: Annotated[
        Secret | None,
        Key(min_length=0),
        Meta(
            description="Where the users are: `sql:` (the service's own database), `memory:`, "
            "`ldap://…` or `ldaps://…`, or the `https://…` address of a service that says who "
            "somebody is. By default `sql:` where the service has a database, else `memory:`."
        ),
    ] = None
    authenticators: Annotated[
        tuple[Literal["bearer", "token", "session", "basic"], ...],
        Meta(
            description="By what requests are recognised, tried in this order; `bearer` needs the "
            "extension `jwt` or `auth0`."
        ),
    ] = ("bearer", "token", "session")
    default: Annotated[
        Literal["public", "required"],
        Meta(description="What holds for routes that say nothing of their own."),
    ] = "public"
    roles: Annotated[
        dict[str, tuple[str, ...]],
        Meta(description="The scopes that each role of a user has."),
    ] = field(default_factory=dict)
    scopes: Annotated[
        tuple[str, ...],
        Meta(description="All scopes that there are; where given, any other stops the start."),
    ] = ()
    realm: Annotated[
        str, Meta(description="What clients are told that they log in to; by default the name.")
    ] = ""
    remember: Annotated[
        float,
        Meta(
            description="Seconds for which a user, a session or a token that was found valid is "
            "not asked for again; what another process revokes or disables ends so much later.",
            ge=0,
            le=300,
        ),
    ] = 5.0
    session_hours: Annotated[
        float, Meta(description="Hours after a login that its session ends.", gt=0, le=8760)
    ] = 12.0
    argon2_time_cost: Annotated[
        int, Key(name="ARGON2_TIME_COST"), Meta(description="Passes of Argon2id.", ge=1, le=1000)
    ] = 2
    argon2_memory_cost: Annotated[
        int,
        Key(name="ARGON2_MEMORY_COST"),
        Meta(description="Memory of one hash in KiB.", ge=8, le=4_194_304),
    ] = 19_456
    argon2_parallelism: Annotated[
        int, Key(name="ARGON2_PARALLELISM"), Meta(description="Lanes of one hash.", ge=1, le=64)
    ] = 1
    argon2_hash_len: Annotated[
        int, Key(name="ARGON2_HASH_LEN"), Meta(description="Bytes of a hash.", ge=16, le=512)
    ] = 32
    argon2_salt_len: Annotated[
        int, Key(name="ARGON2_SALT_LEN"), Meta(description="Bytes of a salt.", ge=16, le=512)
    ] = 16
    argon2_encoding: Annotated[
        str, Key(name="ARGON2_ENCODING"), Meta(description="Encoding of passwords.")
    ] = "utf-8"
    argon2_at_once: Annotated[
        int,
        Key(name="ARGON2_AT_ONCE"),
        Meta(
            description="Hashes that one process computes at the same time; each takes "
            "`ARGON2_MEMORY_COST`, and may leave as much behind.",
            ge=1,
            le=1024,
        ),
    ] = 4
    argon2_wait: Annotated[
        float,
        Key(name="ARGON2_WAIT"),
        Meta(description="Seconds that a hash waits for its turn before 503.", gt=0, le=300),
    ] = 10.0

    def problems(self) -> Iterable[str]:
        """Name an encoding that there is not, and scopes that are none."""
        try:
            "x".encode(self.argon2_encoding)
        except LookupError:
            yield f"ARGON2_ENCODING={self.argon2_encoding!r} is no encoding: use 'utf-8'."
        if self.argon2_memory_cost < 8 * self.argon2_parallelism:
            yield "ARGON2_MEMORY_COST must be at least 8 times ARGON2_PARALLELISM."
        for name in {it for it in self.authenticators if self.authenticators.count(it) > 1}:
            yield f"AUTH_AUTHENTICATORS has '{name}' twice: write it once."
        if not _REALM.fullmatch(self.realm):
            yield f"AUTH_REALM={self.realm!r} cannot stand in a header: write plain words."
        for scope in (*self.scopes, *(it for scopes in self.roles.values() for it in scopes)):
            if not SCOPE.fullmatch(scope):
                yield f"AUTH_SCOPES and AUTH_ROLES: {scope!r} is no scope: write one word."
