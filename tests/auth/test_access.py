"""The decision about a request: who is asked, and what is answered."""

from __future__ import annotations

import logging

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from buttress import Problem, Unavailable
from buttress.auth import ANONYMOUS, Principal, Refused, Trace
from buttress.auth.access import Access
from buttress.auth.policy import KNOWN, PUBLIC, policy
from buttress.web import PRINCIPAL

ADA = Principal(id="ada", scopes=frozenset({"a"}), by="first")


class Fixed:
    """An authenticator that always says the same, and counts how often it is asked."""

    def __init__(self, name: str, answer: Principal | Exception | None, scheme: str = "X") -> None:
        self.name = name
        self.asked = 0
        self._answer = answer
        self._scheme = scheme

    def authenticate(self, request: Request, trace: Trace) -> Principal | None:
        """Say it."""
        self.asked += 1
        trace.note(self.name, "looked")
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def challenge(self, refused: Refused | None) -> str | None:
        """Ask by its scheme."""
        error = "" if refused is None else f' error="{refused.error}"'
        return f'{self._scheme} by="{self.name}"{error}' if self._scheme else None


@pytest.fixture
def request_() -> Request:
    """Give a request."""
    return Request(EnvironBuilder("/pistes").get_environ())


def refusal(access: Access, request: Request, asked: object = KNOWN) -> Problem:
    """Give what a request is refused with."""
    with pytest.raises(Problem) as caught:
        access.demand(request, asked)  # type: ignore[arg-type]  # a policy
    return caught.value


def test_the_first_that_finds_credentials_decides(request_: Request) -> None:
    """Authenticators are asked in order, until one finds credentials of its kind."""
    steps = [Fixed("none", None), Fixed("first", ADA), Fixed("later", None)]
    access = Access(steps)
    assert access.principal(request_) is ADA
    assert [it.asked for it in steps] == [1, 1, 0]


def test_once_for_a_request(request_: Request) -> None:
    """Who makes a request is found out once, also where it is nobody."""
    step = Fixed("none", None)
    access = Access([step])
    assert [access.principal(request_), access.principal(request_)] == [ANONYMOUS, ANONYMOUS]
    assert step.asked == 1


def test_wrong_credentials_are_decisive(request_: Request) -> None:
    """After a refusal nobody else is asked."""
    steps = [Fixed("first", Refused("first", "too old", "invalid_token")), Fixed("later", ADA)]
    assert refusal(Access(steps), request_).code == 401
    assert steps[1].asked == 0


def test_the_challenges(request_: Request) -> None:
    """One challenge for each scheme; that of who refused comes first, with its error."""
    refused = Refused("b", "too old", "invalid_token")
    steps = [Fixed("a", None, "Bearer"), Fixed("b", refused, "Bearer"), Fixed("c", None, "Basic")]
    steps.insert(0, Fixed("d", None, ""))
    error = refusal(Access(steps), request_)
    assert error.headers["WWW-Authenticate"] == (
        'Bearer by="b" error="invalid_token", Basic by="c"'
    )
    nobody = refusal(Access([Fixed("a", None, "Bearer")]), Request(request_.environ.copy()))
    assert nobody.headers["WWW-Authenticate"] == 'Bearer by="a"'


def test_reasons_are_for_the_log(request_: Request, caplog: pytest.LogCaptureFixture) -> None:
    """The answer does not say why; the log does, with what was seen."""
    caplog.set_level(logging.INFO, "buttress.auth")
    error = refusal(Access([Fixed("a", Refused("a", "the key is unknown"))]), request_)
    assert "key" not in str(error.description)
    assert "401: GET /pistes: the key is unknown (a: looked)" in caplog.text


def test_lacking_scopes(request_: Request, caplog: pytest.LogCaptureFixture) -> None:
    """Who is known and may not gets 403; what lacks is in the log alone."""
    caplog.set_level(logging.INFO, "buttress.auth")
    error = refusal(Access([Fixed("first", ADA)]), request_, policy(["a", "b"]))
    assert (error.code, "b" in str(error.headers)) == (403, False)
    assert "403: GET /pistes: ada (first) lacks b" in caplog.text


def test_asked_again_after_a_refusal(request_: Request) -> None:
    """After a refusal it is nobody, for error handlers; a route stays closed for its reason."""
    step = Fixed("a", Unavailable("The directory is away."))
    access = Access([step])
    with pytest.raises(Unavailable):
        access.principal(request_)
    assert access.principal(request_) is ANONYMOUS
    assert [refusal(access, request_).code for _ in range(2)] == [503, 503]
    assert step.asked == 1


def test_each_service_decides_for_itself(request_: Request) -> None:
    """What one service has found out of a request another one does not believe."""
    assert Access([Fixed("first", ADA)]).principal(request_) is ADA
    assert Access([Fixed("second", None)]).principal(request_) is ANONYMOUS


def test_the_environment_is_not_believed(request_: Request) -> None:
    """Nothing in the environment says who makes a request."""
    request_.environ[PRINCIPAL] = ADA
    assert Access([Fixed("a", None)]).principal(request_) is ANONYMOUS


def test_no_challenge_at_all(request_: Request) -> None:
    """A 401 has a challenge, also where nobody can be asked."""
    for steps in ([], [Fixed("a", None, "")]):
        error = refusal(Access(steps), Request(request_.environ.copy()))
        assert (error.code, error.headers["WWW-Authenticate"]) == (401, "Session")


def test_who_would_know_is_down(request_: Request) -> None:
    """A backend that is down is 503, never 401."""
    error = refusal(Access([Fixed("a", Unavailable("The directory is away."))]), request_)
    assert (error.code, "Retry-After" in error.headers) == (503, True)


def test_a_public_route(request_: Request) -> None:
    """Where nothing is asked for, everybody passes."""
    assert Access([Fixed("a", None)]).demand(request_, PUBLIC) is ANONYMOUS
