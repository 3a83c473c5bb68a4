from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, Response

from buttress import Service
from buttress.limiter import client

Make = Callable[..., Service]
STATUSES = [200, 200, 429]


def ask(app: Service, path: str = "/lifts", times: int = 3, address: str = "192.0.2.1") -> Any:
    """Ask several times from one address, and give the answers."""
    asking = app.test_client()
    environ = {"REMOTE_ADDR": address}
    return [asking.get(path, environ_base=environ) for _ in range(times)]


def statuses(app: Service, path: str = "/lifts", times: int = 3, **more: str) -> list[int]:
    """Ask several times, and give the statuses."""
    return [answer.status_code for answer in ask(app, path, times, **more)]


def shop(make: Make, limit: str = "2/hour", **config: Any) -> Service:
    """Make a service with a limited view, a free one, and one that has no limit of its own."""
    app = make(**config)

    @app.get("/lifts")
    @app.limiter.limit(limit)
    def lifts() -> dict[str, int]:
        return {"open": 3}

    @app.get("/free")
    @app.limiter.exempt
    def free() -> str:
        return "free"

    app.add_url_rule("/plain", "plain", lambda: "plain")
    return app


def test_refusal_is_a_problem(make: Make) -> None:
    """Who asks too often is answered with 429, its code, and when to come back."""
    refused = ask(shop(make))[-1]
    assert refused.status_code == 429
    assert refused.content_type == "application/problem+json"
    assert refused.json["code"] == "too_many_requests"
    assert 3590 <= int(refused.headers["Retry-After"]) <= 3601


@pytest.mark.parametrize("strategy", ["fixed-window", "sliding-window-counter", "moving-window"])
def test_strategies(make: Make, strategy: str) -> None:
    """Every strategy of Flask-Limiter's works, and says when to come back."""
    answers = ask(shop(make, LIMITER_STRATEGY=strategy))
    assert [it.status_code for it in answers] == STATUSES
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 3601


def test_only_a_refusal_says_when(make: Make) -> None:
    """Answers within the limit say nothing of it, unless the settings want it."""
    first = ask(shop(make))[0]
    assert not [name for name, _ in first.headers if "Rate" in name or name == "Retry-After"]
    first = ask(shop(make, LIMITER_HEADERS=True))[0]
    assert first.headers["X-RateLimit-Remaining"] == "1"


def test_own_handler_gets_it_too(make: Make) -> None:
    """An error handler of the application's own answers, and the answer says when."""
    app = shop(make)
    app.register_error_handler(429, lambda _: Response("slowly", 429))
    refused = ask(app)[-1]
    assert (refused.text, refused.status_code) == ("slowly", 429)
    assert int(refused.headers["Retry-After"]) > 0


def test_clients_are_told_apart(make: Make) -> None:
    """Each address has its own count."""
    app = shop(make)
    assert statuses(app) == STATUSES
    assert statuses(app, address="192.0.2.2") == STATUSES


def test_customers_of_ipv6_are_told_apart(make: Make) -> None:
    """All addresses of an IPv6 network of 64 bits are one client, who changes them at will."""
    app = shop(make)
    addresses = ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:0:8::", "2001:db8:0:1::1")
    assert [statuses(app, times=1, address=it)[0] for it in addresses] == [200, 200, 429, 200]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::7", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("a socket", "a socket"),
    ],
)
def test_client(make: Make, address: str, expected: str) -> None:
    """Whatever the server says of the address, there is a word for the client."""
    with make().test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert client() == expected


def test_trusted_proxy_is_not_the_client(make: Make) -> None:
    """Behind a declared proxy the clients are counted; behind another one, the proxy."""
    app = shop(make, WEB_TRUSTED_PROXIES="10.0.0.0/8")
    asking = app.test_client()

    def ask_by(proxy: str, address: str) -> int:
        headers = {"X-Forwarded-For": address}
        environ = {"REMOTE_ADDR": proxy}
        return asking.get("/lifts", headers=headers, environ_base=environ).status_code

    assert [ask_by("10.0.0.1", f"192.0.2.{number}") for number in range(3)] == [200, 200, 200]
    assert [ask_by("10.0.0.1", f"192.0.2.{number}, 192.0.2.99") for number in range(3)] == STATUSES
    assert [ask_by("203.0.113.1", f"192.0.2.{number}") for number in range(3)] == STATUSES


def test_default(make: Make) -> None:
    """A default holds for every route that has no limit and is not exempt, each by itself."""
    app = shop(make, limit="1/hour", LIMITER_DEFAULT="2/hour; 50/day")
    app.add_url_rule("/other", "other", lambda: "other")
    assert statuses(app, "/plain") == STATUSES
    assert statuses(app, "/lifts") == [200, 429, 429]
    assert statuses(app, "/free") == [200, 200, 200]


def test_probes_are_not_counted(make: Make) -> None:
    """Health probes and paths without a route have no limit."""
    app = shop(make, LIMITER_DEFAULT="1/day")
    assert statuses(app, "/livez") == [200, 200, 200]
    assert statuses(app, "/nothing") == [404, 404, 404]


def test_blueprints(make: Make) -> None:
    """A limit of a blueprint holds for its views, and only for them."""
    app = shop(make)
    pistes = Blueprint("pistes", __name__)
    pistes.add_url_rule("/pistes", "list", lambda: "pistes")
    app.limiter.limit("2/hour")(pistes)
    app.register_blueprint(pistes)
    assert statuses(app, "/pistes") == STATUSES
    assert statuses(app, "/plain") == [200, 200, 200]


def test_limit_of_the_application(make: Make) -> None:
    """A limit of the whole application counts all its routes together."""
    app = shop(make, RATELIMIT_APPLICATION="2/hour")
    asked = [*statuses(app, "/plain", 1), *statuses(app, "/lifts", 1), *statuses(app, "/plain", 1)]
    assert asked == STATUSES


def test_limit_of_refusals(make: Make) -> None:
    """Who is refused too often is refused everywhere."""
    app = shop(make, "1/hour", RATELIMIT_META="1/hour")
    assert statuses(app, "/plain", 1) == [200]
    assert statuses(app, "/lifts", 2) == [200, 429]
    assert statuses(app, "/plain", 1) == [429]


def test_route_without_limit_passes_quickly(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only views have limits, nothing is looked for before the others."""
    app = shop(make)
    monkeypatch.setattr(app.limiter, "identify_request", lambda: 1 / 0)
    monkeypatch.setattr(app.limiter, "_finish", lambda _: 1 / 0)
    assert statuses(app, "/plain") == [200, 200, 200]


def test_answer_decides_what_is_counted(make: Make) -> None:
    """A limit may count by the answer, once, however many other limits there are."""
    app = make(LIMITER_HEADERS=True, RATELIMIT_APPLICATION="100/hour")
    limit = app.limiter.limit("2/hour", deduct_when=lambda answer: answer.status_code == 401)

    @app.get("/door/<int:status>")
    @limit
    @app.limiter.limit("50/hour", key_func=lambda: "all")
    def door(status: int) -> Any:
        return "door", status

    doors = [f"/door/{status}" for status in (200, 200, 200, 401, 401, 401)]
    answers = [ask(app, path, 1)[0] for path in doors]
    assert [it.status_code for it in answers] == [200, 200, 200, 401, 401, 429]
    assert len(answers[0].headers.getlist("X-RateLimit-Limit")) == 1


def test_shared_limit(make: Make) -> None:
    """Views may share a limit."""
    app = make()
    shared = app.limiter.shared_limit("2/hour", scope="snow")
    app.add_url_rule("/one", "one", shared(lambda: "one"))
    app.add_url_rule("/two", "two", shared(lambda: "two"))
    assert [*statuses(app, "/one", 2), *statuses(app, "/two", 1)] == STATUSES


@pytest.mark.parametrize("limit", ["5/minuet", "", "5/minute; often"])
def test_limit_that_cannot_be_read(make: Make, limit: str) -> None:
    """A typo in a limit is an error at once, not a route without a limit."""
    limiter = make().limiter
    with pytest.raises(ValueError, match="is no limit"):
        limiter.limit(limit)
    with pytest.raises(ValueError, match="is no limit"):
        limiter.shared_limit(limit, "scope")


def test_limit_by_a_function(make: Make) -> None:
    """A limit may come from a function, as with Flask-Limiter."""
    app = make()
    app.add_url_rule("/lifts", "lifts", app.limiter.limit(lambda: "2/hour")(lambda: "lifts"))
    assert statuses(app) == STATUSES


@pytest.mark.parametrize("found", ["5/minuet", ValueError("no number")], ids=str)
def test_function_without_a_limit_to_read(make: Make, found: str | Exception) -> None:
    """What a function gives and nobody can read lets nobody in."""
    app = make(PROPAGATE_EXCEPTIONS=False)

    def limit() -> str:
        if isinstance(found, Exception):
            raise found
        return found

    app.add_url_rule("/lifts", "lifts", app.limiter.limit(limit)(lambda: "lifts"))
    assert statuses(app, times=1) == [500]


def test_function_may_give_no_limit(make: Make) -> None:
    """An empty text is no limit, as with Flask-Limiter."""
    app = make()
    app.add_url_rule("/lifts", "lifts", app.limiter.limit(lambda: "")(lambda: "lifts"))
    assert statuses(app) == [200, 200, 200]


def test_two_services_count_apart(make: Make) -> None:
    """Two services in one process share no count."""
    first, second = shop(make), shop(make, name="cinema")
    assert statuses(first) == STATUSES
    assert statuses(second) == STATUSES
    assert first.limiter.storage is not second.limiter.storage


def test_disabled(make: Make) -> None:
    """Where it is disabled nothing is counted, and the heartbeat says so."""
    app = shop(make, LIMITER_ENABLED=False, LIMITER_DEFAULT="1/hour")
    assert statuses(app) == [200, 200, 200]
    beat = app.test_client().get("/__heartbeat__")
    assert beat.status_code == 200
    assert beat.json["checks"]["limiter"]["details"] == {"enabled": False}


def test_gnar_style(make: Make) -> None:
    """In Gnar's style a refusal has its code and says when, with status 200."""
    refused = ask(shop(make, ERRORS_STYLE="gnar"))[-1]
    assert (refused.status_code, refused.json["code"]) == (200, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0


def test_workers_in_memory_are_warned_of(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """Several workers that count in memory let more through, which the log says at the boot."""
    make(WORKERS=4)
    assert "each of 4 workers counts by itself" in capsys.readouterr().out
