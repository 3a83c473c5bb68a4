"""Who makes a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

NO_CLAIMS: Mapping[str, Any] = MappingProxyType({})


class Principal(msgspec.Struct, frozen=True, kw_only=True, dict=False):
    """Who makes a request, as an authenticator recognised them; it is false for nobody."""

    #: What the authenticator knows them by: a user's name, the subject of a token.
    id: str
    #: ``user``, ``token``, ``client``, or ``anonymous``.
    kind: str = "user"
    #: What they may do; one that ends in ``*`` stands for all that begin so.
    scopes: frozenset[str] = frozenset()
    #: What is said of them: the claims of a token, the attributes of a user.
    claims: Mapping[str, Any] = NO_CLAIMS
    #: The name of the authenticator.
    by: str = ""

    def __bool__(self) -> bool:
        return self.kind != "anonymous"

    def may(self, scope: str) -> bool:
        """Tell whether the scopes include this one."""
        return covers(self.scopes, scope)


ANONYMOUS = Principal(id="", kind="anonymous")


def covers(held: Iterable[str], scope: str) -> bool:
    """Tell whether a scope is among those held, or begins as one of them does before its ``*``."""
    return any(
        scope == each or (each.endswith("*") and scope.startswith(each[:-1])) for each in held
    )
