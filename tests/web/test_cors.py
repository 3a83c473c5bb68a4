from __future__ import annotations

from typing import Any

import pytest
from werkzeug.datastructures import Headers

from buttress import ConfigError, Service
from tests.services import Make

FRIEND, STRANGER = "https://friend.example", "https://stranger.example"


def ask(app: Service, origin: str | None = FRIEND, path: str = "/api/lifts") -> Headers:
    """Give the CORS headers of an ordinary answer, and ``Vary``."""
    sent = {"Origin": origin} if origin else {}
    return cors(app.test_client().get(path, headers=sent).headers)


def preflight(app: Service, origin: str = FRIEND, path: str = "/api/lifts", **more: str) -> Any:
    """Send what a browser sends before a PUT."""
    sent = {"Origin": origin, "Access-Control-Request-Method": "PUT", **more}
    return app.test_client().options(path, headers=sent)


def cors(headers: Headers) -> Headers:
    """Keep the headers that are about origins."""
    kept = [it for it in headers if it[0] == "Vary" or it[0].startswith("Access-Control-")]
    return Headers(kept)


def shop(make: Make, **config: Any) -> Service:
    """Make a service with one view for GET and PUT."""
    app = make(**config)
    app.add_url_rule("/api/lifts", view_func=lambda: "lifts", methods=["GET", "PUT"])
    return app


def test_closed_by_default(make: Make) -> None:
    """Without settings no answer says anything about origins, and nothing is put in the path."""
    app = shop(make)
    assert list(ask(app)) == []
    assert list(cors(preflight(app).headers)) == []
    assert app.cors.policies == []


def test_friend_may_read(make: Make) -> None:
    """A configured origin is named in the answer, which varies by origin."""
    found = ask(shop(make, CORS_ORIGINS=[FRIEND, "https://other.example"]))
    assert found["Access-Control-Allow-Origin"] == FRIEND
    assert found["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in found


@pytest.mark.parametrize(
    "origin", [STRANGER, "null", None, FRIEND + ".evil.example", FRIEND.upper(), FRIEND + ":444"]
)
def test_stranger_may_not(make: Make, origin: str | None) -> None:
    """Any other origin gets no permission and no error; caches learn that it matters."""
    app = shop(make, CORS_ORIGINS=FRIEND)
    assert list(ask(app, origin)) == [("Vary", "Origin")]
    assert app.test_client().get("/api/lifts").status_code == 200


@pytest.mark.parametrize("origins", [f"{FRIEND} {STRANGER}", f"{FRIEND},{STRANGER}"])
def test_origins_in_one_text(make: Make, origins: str) -> None:
    """Origins may stand in one text, separated by spaces or commas."""
    app = shop(make, CORS_ORIGINS=origins)
    assert ask(app, STRANGER)["Access-Control-Allow-Origin"] == STRANGER


def test_preflight(make: Make) -> None:
    """A preflight is answered with 204, the methods, the headers and the age."""
    answer = preflight(shop(make, CORS_ORIGINS=FRIEND, CORS_MAX_AGE=60))
    assert (answer.status_code, answer.data) == (204, b"")
    found = cors(answer.headers)
    assert found["Access-Control-Allow-Origin"] == FRIEND
    assert found["Access-Control-Allow-Methods"] == "GET, HEAD, POST, PUT, PATCH, DELETE"
    assert found["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert found["Access-Control-Max-Age"] == "60"
    assert "Origin" in found["Vary"]


def test_preflight_of_a_stranger(make: Make) -> None:
    """A stranger's preflight gets 204 without any permission."""
    answer = preflight(shop(make, CORS_ORIGINS=FRIEND), STRANGER)
    assert answer.status_code == 204
    assert [name for name, _ in cors(answer.headers)] == ["Vary"]


def test_preflight_comes_before_a_login(make: Make) -> None:
    """A hook that refuses everyone does not see preflights, which carry no credentials."""
    app = shop(make, CORS_ORIGINS=FRIEND)
    app.before_request(lambda: ("log in", 401))
    assert preflight(app).status_code == 204
    assert app.test_client().get("/api/lifts", headers={"Origin": FRIEND}).status_code == 401


def test_plain_options_is_flasks(make: Make) -> None:
    """OPTIONS that is no preflight is answered as Flask does."""
    answer = shop(make, CORS_ORIGINS=FRIEND).test_client().options("/api/lifts")
    assert answer.status_code == 200
    assert {*answer.allow} == {"GET", "HEAD", "OPTIONS", "PUT"}


def test_any_header_may_be_allowed(make: Make) -> None:
    """With ``*`` the headers that are asked for are allowed, if they are names of headers."""
    app = shop(make, CORS_ORIGINS=FRIEND, CORS_ALLOW_HEADERS="*")
    name = "Access-Control-Request-Headers"
    good = preflight(app, **{name: "x-one, x-two"})
    assert good.headers["Access-Control-Allow-Headers"] == "x-one, x-two"
    assert "Access-Control-Allow-Headers" not in preflight(app, **{name: 'x"<>'}).headers


def test_credentials(make: Make) -> None:
    """Credentials are allowed to configured origins where the settings say so."""
    app = shop(make, CORS_ORIGINS=FRIEND, CORS_SUPPORTS_CREDENTIALS=True)
    assert ask(app)["Access-Control-Allow-Credentials"] == "true"
    assert "Access-Control-Allow-Credentials" not in ask(app, STRANGER)


@pytest.mark.parametrize("origin", [FRIEND, None])
def test_open_to_all(make: Make, origin: str | None) -> None:
    """``*`` answers everyone alike, so that caches need not tell origins apart."""
    app = shop(make, CORS_ORIGINS="*", CORS_EXPOSE_HEADERS="Authorization")
    found = ask(app, origin)
    assert found["Access-Control-Allow-Origin"] == "*"
    assert found["Access-Control-Expose-Headers"] == "Authorization"
    assert "Vary" not in found


def test_open_preflight_has_each_header_once(make: Make) -> None:
    """A preflight to an open service says each thing once."""
    names = [name for name, _ in cors(preflight(shop(make, CORS_ORIGINS="*")).headers)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", ["/nothing", "/api/broken"])
def test_errors_have_them_too(make: Make, path: str) -> None:
    """Errors may be read by a configured origin; their ``Vary`` keeps its other words."""
    app = shop(make, CORS_ORIGINS=FRIEND, PROPAGATE_EXCEPTIONS=False)
    app.add_url_rule("/api/broken", "broken", view_func=lambda: 1 / 0)
    found = ask(app, path=path)
    assert found["Access-Control-Allow-Origin"] == FRIEND
    assert found.getlist("Vary") == ["Accept, Origin"]


def test_handler_may_speak_for_itself(make: Make) -> None:
    """Where a handler sets the origin itself, nothing is added but that the origin matters."""
    app = shop(make, CORS_ORIGINS=FRIEND)
    own = {"access-control-allow-origin": STRANGER}
    app.add_url_rule("/own", "own", view_func=lambda: ("", own))
    found = app.test_client().get("/own", headers={"Origin": FRIEND}).headers
    assert found.getlist("Access-Control-Allow-Origin") == [STRANGER]
    assert found["Vary"] == "Origin"


def test_headers_that_a_handler_exposes_stay(make: Make) -> None:
    """A handler that names other headers to read is not contradicted."""
    app = shop(make, CORS_ORIGINS=FRIEND, CORS_EXPOSE_HEADERS="X-Total")
    own = {"Access-Control-Expose-Headers": "X-Page", "Vary": "Accept-Language"}
    app.add_url_rule("/own", "own", view_func=lambda: ("", own))
    found = ask(app, path="/own")
    assert found.getlist("Access-Control-Expose-Headers") == ["X-Page"]
    assert found.getlist("Vary") == ["Accept-Language, Origin"]
    assert found["Access-Control-Allow-Origin"] == FRIEND


@pytest.mark.parametrize(
    "headers",
    [
        {"Access-Control-Request-Method": "PUT"},
        {"Origin": FRIEND},
        {"Origin": "null", "Access-Control-Request-Method": "PUT"},
        {"Origin": f"{FRIEND}, {FRIEND}", "Access-Control-Request-Method": "PUT"},
        {"Origin": f"{FRIEND} ", "Access-Control-Request-Method": "PUT"},
        {"Origin": "*", "Access-Control-Request-Method": "PUT"},
        {"Origin": "", "Access-Control-Request-Method": "PUT"},
    ],
    ids=str,
)
def test_what_is_no_preflight_of_a_friend(make: Make, headers: dict[str, str]) -> None:
    """Whatever is no preflight, or not a friend's, gets no permission to send anything."""
    answer = shop(make, CORS_ORIGINS=FRIEND).test_client().options("/api/lifts", headers=headers)
    assert "Access-Control-Allow-Methods" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("origin", ["null", "*", "", "https://", "HTTPS://FRIEND.EXAMPLE"])
def test_origin_that_nobody_means(make: Make, origin: str) -> None:
    """An origin that says nothing is not allowed by accident, with credentials least of all."""
    found = ask(shop(make, CORS_ORIGINS=FRIEND, CORS_SUPPORTS_CREDENTIALS=True), origin)
    assert list(found) == [("Vary", "Origin")]


def test_open_to_all_sends_no_credentials(make: Make) -> None:
    """Where all origins are allowed the answer names none, so that browsers keep cookies back."""
    found = ask(shop(make, CORS_ORIGINS="*"), "null")
    assert found["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in found


def test_slashes_do_not_change_the_rule(make: Make) -> None:
    """A path with more slashes at its begin reaches the same route, and has the same rule."""
    rules = {"/api/": {"origins": FRIEND}, "/": {"origins": STRANGER, "supports_credentials": True}}
    app = shop(make, CORS_RESOURCES=rules)
    answer = app.test_client().get(
        "/", environ_overrides={"PATH_INFO": "///api/lifts"}, headers={"Origin": STRANGER}
    )
    assert answer.text == "lifts"
    assert list(cors(answer.headers)) == [("Vary", "Origin")]


def test_path_beyond_ascii(make: Make) -> None:
    """A rule sees the path as it is written, not its bytes."""
    app = shop(make, CORS_RESOURCES={"/schnee/höhe": {"origins": FRIEND}})
    assert ask(app, path="/schnee/höhe")["Access-Control-Allow-Origin"] == FRIEND


def test_resources(make: Make) -> None:
    """Options by path change the general ones for their paths; other paths are closed."""
    rules = {r"/api/": {"origins": f"{STRANGER} {FRIEND}", "max_age": 5}, "/pub": {"origins": "*"}}
    app = shop(make, CORS_ORIGINS="https://other.example", CORS_RESOURCES=rules)
    assert ask(app)["Access-Control-Allow-Origin"] == FRIEND
    assert preflight(app).headers["Access-Control-Max-Age"] == "5"
    assert ask(app, path="/pub/x")["Access-Control-Allow-Origin"] == "*"
    assert list(ask(app, path="/other/api/")) == [("Vary", "Accept")]


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"CORS_ORIGINS": "friend.example"}, "'friend.example' is no origin"),
        ({"CORS_ORIGINS": f"{FRIEND}/"}, "is no origin"),
        ({"CORS_ORIGINS": "https://*.example"}, "is no origin"),
        ({"CORS_ORIGINS": "null"}, "'null' is no origin"),
        ({"CORS_ORIGINS": f"{FRIEND}:443"}, "without the usual port"),
        ({"CORS_ORIGINS": "http://friend.example:80"}, "without the usual port"),
        ({"CORS_ORIGINS": "https://Friend.example"}, "in lower case"),
        ({"CORS_ORIGINS": "https://fr\xe9end.example"}, "is no origin"),
        ({"CORS_ORIGINS": [f"{FRIEND}\r\nSet-Cookie: a=b"]}, "is no origin"),
        ({"CORS_METHODS": "get", "CORS_ORIGINS": FRIEND}, "'get' is no method"),
        ({"CORS_EXPOSE_HEADERS": ["A\r\nB"], "CORS_ORIGINS": FRIEND}, "is no name of a header"),
        ({"CORS_ALLOW_HEADERS": ["A:"], "CORS_ORIGINS": FRIEND}, "'A:' is no name of a header"),
        (
            {
                "CORS_ORIGINS": FRIEND,
                "CORS_SUPPORTS_CREDENTIALS": True,
                "CORS_EXPOSE_HEADERS": "*",
                "CORS_METHODS": "*",
            },
            "name the methods",
        ),
        (
            {"CORS_ORIGINS": "*", "CORS_SUPPORTS_CREDENTIALS": True},
            "credentials are not for everyone",
        ),
        ({"CORS_RESOURCES": {"(": {"origins": FRIEND}}}, "no regular expression"),
        ({"CORS_RESOURCES": {"/": {"origin": FRIEND}}}, "unknown field `origin`"),
    ],
)
def test_bad_settings_are_named(make: Make, config: dict[str, Any], named: str) -> None:
    """Settings that could not work, or would open too much, stop the boot."""
    with pytest.raises(ConfigError) as raised:
        make(**config)
    assert named in str(raised.value)
