"""Whether a request may: who makes it, and what its route asks for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING, NamedTuple

from werkzeug.exceptions import HTTPException

from buttress.auth.authenticators import Refused, Trace
from buttress.auth.policy import Policy
from buttress.auth.principal import ANONYMOUS, Principal
from buttress.errors import Code, Problem
from buttress.web import PRINCIPAL

if TYPE_CHECKING:
    from flask import Request

    from buttress.auth.authenticators import Authenticator

logger = logging.getLogger("buttress.auth")

#: What is asked for where no authenticator has a challenge, since a 401 needs one (RFC 9110,
#: 15.5.2).
SESSION = "Session"
_DECISION = "_buttress_decision"
#: Who let a request pass whose route asked for somebody.
_ADMITTED = "_buttress_admitted"


class Decision(NamedTuple):
    """Who makes a request, as an application has found out; nobody, where that failed."""

    access: Access
    principal: Principal
    error: HTTPException | None = None


class Access:
    """The authenticators of a service, in order, and the decision about a request."""

    def __init__(self, authenticators: Sequence[Authenticator]) -> None:
        self.authenticators = tuple(authenticators)

    def principal(self, request: Request) -> Principal:
        """Give who makes a request; it is found once.

        Raises 401 for credentials that are wrong, the first time. After that it is nobody, so that
        error handlers and hooks can ask too.
        """
        known = self._decision(request) or self._decide(request)
        return known.principal

    def forget(self, request: Request) -> None:
        """Find out anew who makes a request."""
        request.__dict__.pop(_DECISION, None)
        request.environ.pop(PRINCIPAL, None)

    def demand(self, request: Request, policy: Policy) -> Principal:
        """Let a request pass, or raise 401 for somebody unknown and 403 for lacking scopes."""
        principal = self.principal(request)
        if policy.public:
            return principal
        known = self._decision(request)
        if known is not None and known.error is not None:
            raise copy(known.error)
        if not principal:
            logger.info("401: %s %s: no credentials", request.method, request.path)
            raise self._unauthorized("Log in, or send credentials.")
        missing = policy.missing(principal)
        if missing:
            logger.info(
                "403: %s %s: %s (%s) lacks %s",
                *(request.method, request.path, principal.id, principal.by, " ".join(missing)),
            )
            raise Problem(Code.FORBIDDEN, "This needs rights that you do not have.")
        request.__dict__[_ADMITTED] = self
        return principal

    def admitted(self, request: Request) -> Principal | None:
        """Give who makes a request, once its route has asked for that and let it pass."""
        known = self._decision(request) if request.__dict__.get(_ADMITTED) is self else None
        return None if known is None else known.principal

    def recognise(self, request: Request, trace: Trace) -> Principal:
        """Ask the authenticators in order; the first that finds credentials decides.

        Raises `Refused` for credentials that are wrong, and `Unavailable` where who would know is
        down.
        """
        for authenticator in self.authenticators:
            principal = authenticator.authenticate(request, trace)
            if principal is not None:
                return principal
        return ANONYMOUS

    def _decision(self, request: Request) -> Decision | None:
        """Give what was decided; another application may have this request too."""
        known: Decision | None = request.__dict__.get(_DECISION)
        return known if known is not None and known.access is self else None

    def _decide(self, request: Request) -> Decision:
        try:
            made = Decision(self, self._recognised(request))
        except HTTPException as error:
            # Of the error a copy is kept, which has no traceback that holds the request.
            request.__dict__[_DECISION] = Decision(self, ANONYMOUS, copy(error))
            raise
        request.__dict__[_DECISION] = made
        if made.principal:
            request.environ[PRINCIPAL] = made.principal
        return made

    def _recognised(self, request: Request) -> Principal:
        trace = Trace()
        try:
            return self.recognise(request, trace)
        except Refused as refused:
            seen = "; ".join(f"{note.by}: {note.text}" for note in trace)
            logger.info(
                "401: %s %s: %s%s",
                *(request.method, request.path, refused, f" ({seen})" if seen else ""),
            )
            raise self._unauthorized("These credentials are not valid.", refused) from refused

    def _unauthorized(self, detail: str, refused: Refused | None = None) -> Problem:
        challenges = ", ".join(self._challenges(refused).values())
        headers = {"WWW-Authenticate": challenges or SESSION}
        return Problem(Code.UNAUTHORIZED, detail, headers=headers)

    def _challenges(self, refused: Refused | None) -> dict[str, str]:
        """Give the challenges by their schemes; that of who refused the request goes first."""
        found: dict[str, str] = {}
        for authenticator in sorted(self.authenticators, key=lambda it: not _is_of(refused, it)):
            own = refused if _is_of(refused, authenticator) else None
            challenge = authenticator.challenge(own)
            if challenge is not None:
                found.setdefault(challenge.partition(" ")[0], challenge)
        return found


def _is_of(refused: Refused | None, authenticator: Authenticator) -> bool:
    return refused is not None and refused.by == authenticator.name
