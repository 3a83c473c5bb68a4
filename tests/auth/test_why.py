"""``buttress auth why``."""

from __future__ import annotations

import base64
import json
import time

import pytest

from tests.cli.conftest import project, run
from tests.cli.shop import Run, Write

__all__ = ["project", "run"]

MAIN = """
    from buttress import auth, create_app

    CONFIG = {
        "LOG_LEVEL": "ERROR",
        "AUTH_AUTHENTICATORS": ["bearer", "basic"],
        "AUTH_ROLES": {"guide": ["read:pistes"]},
    }
    app = create_app("shop", extensions=["log", "web", "auth"], config=CONFIG)
    app.auth.users.create("ada", "powder", roles=["guide"])


    @app.get("/pistes")
    @auth.scopes("read:pistes")
    def pistes():
        raise RuntimeError("no view is called")


    @app.get("/snow")
    @auth.scopes("write:snow", any_of=["admin", "read:pistes"])
    def snow():
        raise RuntimeError("no view is called")
    """
ADA = "Authorization: Basic " + base64.b64encode(b"ada:powder").decode()


@pytest.fixture(autouse=True)
def shop(project: Write) -> None:
    """Write an application with a user."""
    project({"shop/main.py": MAIN})


def why(run: Run, *arguments: str) -> list[str]:
    """Ask why, and give the lines."""
    result = run("auth", "why", *arguments)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_a_request_that_passes(run: Run) -> None:
    """Each step is told: the route, what was seen, who it is."""
    assert why(run, "/pistes", "-H", ADA) == [
        "route: pistes, which asks for: read:pistes",
        "basic: a name and a password",
        "bearer: no credentials of this kind",
        "principal: ada (user, by basic), scopes: read:pistes",
        "decision: passes",
    ]


def test_scopes_that_are_lacking(run: Run) -> None:
    """The scopes that are lacking are named, of the nearest alternative."""
    lines = why(run, "/snow", "-H", ADA)
    assert lines[0].endswith("write:snow and admin or write:snow and read:pistes")
    assert lines[-1] == "decision: 403, for the scopes lack write:snow"


def test_nobody(run: Run) -> None:
    """Without credentials nobody is known; an unknown path asks for nothing."""
    assert why(run, "/pistes")[-2:] == ["principal: nobody", "decision: 401, for nobody is known"]
    assert why(run, "/lifts") == ["route: none (404 Not Found), so nothing is asked for"]


def test_a_signed_token_that_is_refused(run: Run) -> None:
    """What a token says of itself is shown, and how far its times are from this clock."""
    claims = {"sub": "ada", "exp": time.time() - 3600, "iss": "resort\n"}
    parts = [{"alg": "none", "kid": "7"}, claims]
    words = [base64.urlsafe_b64encode(json.dumps(it).encode()).decode().strip("=") for it in parts]
    lines = why(run, "/pistes", "-H", f"Authorization: Bearer {'.'.join(words)}.")
    assert lines[1].startswith("bearer: alg 'none', kid '7', typ None, iss 'resort\\n', exp 36")
    assert lines[1].endswith("s ago")
    assert lines[-1] == "decision: 401"


@pytest.mark.parametrize("token", ["x", "a.b.c", "e30.W10.", "é.é.é", "x" * 9000])
def test_what_is_no_token(run: Run, token: str) -> None:
    """Anything may stand where a token should."""
    assert why(run, "/pistes", "-H", f"Authorization: Bearer {token}")[-1] == "decision: 401"


def test_headers_from_standard_input(run: Run) -> None:
    """Secrets need not stand on the command line."""
    result = run("auth", "why", "/pistes", "--stdin", input=f"{ADA}\n\n")
    assert result.output.splitlines()[-1] == "decision: passes"


def test_a_header_of_two_lines(run: Run) -> None:
    """A value that a shell has broken into lines is told in a sentence."""
    result = run("auth", "why", "/pistes", "-H", "Authorization: Basic YQ\nYQ")
    assert result.exit_code == 2
    assert "'Authorization' has more than one line" in result.output


def test_what_is_no_header(run: Run) -> None:
    """A header without a colon is refused in a sentence."""
    result = run("auth", "why", "/pistes", "-H", "Bearer x")
    assert (result.exit_code, "is no header: write NAME:VALUE" in result.output) == (2, True)
