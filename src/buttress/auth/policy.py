"""What a route asks of who calls it: scopes, as an OR of ANDs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from buttress.auth.principal import Principal, covers

#: A scope-token (RFC 6749, 3.3).
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")

Alternative = str | Sequence[str]


class Policy(msgspec.Struct, frozen=True):
    """What is asked: one of the alternatives, and of that one every scope.

    Without any alternative it is enough to be known; a public policy asks nothing.
    """

    alternatives: tuple[tuple[str, ...], ...] = ()
    public: bool = False

    def missing(self, principal: Principal) -> tuple[str, ...]:
        """Name the scopes that are lacking, of the alternative that lacks the fewest."""
        lacking = [
            tuple(scope for scope in scopes if not covers(principal.scopes, scope))
            for scopes in self.alternatives
        ]
        return min(lacking, key=len, default=())

    @property
    def scopes(self) -> frozenset[str]:
        """Give every scope that it names."""
        return frozenset(scope for scopes in self.alternatives for scope in scopes)

    def __str__(self) -> str:
        if self.public:
            return "public"
        return " or ".join(" and ".join(scopes) for scopes in self.alternatives) or "known"


PUBLIC = Policy(public=True)
KNOWN = Policy()


def policy(all_of: Sequence[str], any_of: Iterable[Alternative] = ()) -> Policy:
    """Make a policy: all of these scopes, and one of the alternatives where there are some.

    Raises `ValueError` for what is no scope, and where nothing is asked.
    """
    if isinstance(any_of, str):
        raise ValueError(f"any_of={any_of!r} would be its letters: write any_of=[{any_of!r}].")
    alternatives = [_scopes(each) for each in any_of]
    always = _scopes(all_of) if all_of else ()
    if not always and not alternatives:
        raise ValueError("scopes() names no scope: use @auth.required to ask for a login only.")
    combined = [(*always, *each) for each in alternatives] or [always]
    return Policy(tuple(tuple(dict.fromkeys(each)) for each in combined))


def _scopes(given: Alternative) -> tuple[str, ...]:
    scopes = (given,) if isinstance(given, str) else tuple(given)
    if not scopes:
        raise ValueError("An alternative of any_of names no scope, so it would let everyone in.")
    for scope in scopes:
        if not SCOPE.fullmatch(scope):
            raise ValueError(
                f"{scope!r} is no scope: write one word, such as 'read:pistes' (RFC 6749, 3.3)."
            )
    return scopes
