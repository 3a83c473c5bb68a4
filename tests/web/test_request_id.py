from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from buttress.web import correlated, current_request_id
from buttress.web.request_id import BATCH, new_request_id, request_id_of
from tests.services import Make


@pytest.mark.parametrize("given", ["a", "3f2a-77_b.C", "x" * 128])
def test_well_formed_id_is_taken(given: str) -> None:
    """A well-formed ``X-Request-Id`` is the id of the request."""
    assert request_id_of({"HTTP_X_REQUEST_ID": given}) == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a\n", "a;b", "é", "a\x1b[0m", '"', "<b>"])
def test_malformed_id_is_replaced(given: str) -> None:
    """Anything else in the header is replaced by 32 hexadecimal digits."""
    made = request_id_of({"HTTP_X_REQUEST_ID": given})
    assert re.fullmatch(r"[0-9a-f]{32}", made)


def test_id_stays() -> None:
    """The id of a request is the same whenever it is asked for, and another one for the next."""
    environ: dict[str, object] = {}
    assert request_id_of(environ) == request_id_of(environ)
    assert request_id_of(environ) != request_id_of({})


def test_new_ids_differ() -> None:
    """However many ids are made at once, by however many threads, no two are the same."""
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: new_request_id(), range(BATCH * 8 + 1)))
    assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in made)
    assert len(set(made)) == len(made)


def test_new_ids_differ_after_a_fork() -> None:
    """A forked process makes other ids than the one it comes from."""
    code = (
        "import os; from buttress.web.request_id import new_request_id\n"
        "new_request_id(); child = os.fork()\n"
        "os.write(1, (new_request_id() + ' ').encode())\n"
        "os._exit(0) if not child else os.waitpid(child, 0)"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True, timeout=30)
    assert len(set(out.split())) == 2


def test_no_id_outside_a_request() -> None:
    """Outside a request there is no id."""
    assert current_request_id() is None


def test_id_without_an_edge() -> None:
    """The id is there in a request context of a bare Flask application too."""
    with Flask("bare").test_request_context(headers={"X-Request-Id": "one"}):
        assert current_request_id() == "one"


def test_id_is_in_answer_and_view(make: Make) -> None:
    """View and response header have one id, that of the request."""
    app = make()
    app.add_url_rule("/", view_func=lambda: current_request_id() or "")
    answer = app.test_client().get("/", headers={"X-Request-Id": "from-the-proxy"})
    assert (answer.text, answer.headers["X-Request-Id"]) == ("from-the-proxy", "from-the-proxy")


@pytest.mark.parametrize("name", ["X-Request-Id", "x-request-id"])
def test_answer_has_one_id(make: Make, name: str) -> None:
    """A view that sets the header itself, in whatever case, does not make a second one."""
    app = make()
    app.add_url_rule("/", view_func=lambda: ("", {name: "mine"}))
    answer = app.test_client().get("/", headers={"X-Request-Id": "theirs"})
    assert answer.headers.getlist("X-Request-Id") == ["theirs"]
    assert app.web.request_id is None


def test_work_outside_of_a_request() -> None:
    """Work that a request causes has its id, other work a new one; afterwards there is none."""
    with correlated("abc-1") as given:
        assert (given, current_request_id()) == ("abc-1", "abc-1")
        with correlated(None) as new:
            assert current_request_id() == new != given
        assert current_request_id() == "abc-1"
    assert current_request_id() is None


def test_work_with_a_malformed_id() -> None:
    """An id that is not well-formed is replaced."""
    with correlated("a\nb") as made:
        assert re.fullmatch(r"[0-9a-f]{32}", made)
