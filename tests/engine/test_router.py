from __future__ import annotations

from typing import Any

import pytest
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import BaseConverter, Map, Rule, ValidationError

from buttress.engine.router import NOWHERE, Router


class Even(BaseConverter):
    """Even numbers."""

    regex = r"\d+"

    def to_python(self, value: str) -> int:
        if int(value) % 2:
            raise ValidationError
        return int(value)


class Wide(BaseConverter):
    """Anything, slashes included."""

    regex = ".+"
    part_isolating = False


RULES = [
    Rule("/", endpoint="root", methods=["GET"]),
    Rule("/a/b", endpoint="literal", methods=["GET"]),
    Rule("/a/b", endpoint="later", methods=["GET", "PUT"]),
    Rule("/a/c/", endpoint="slash", methods=["GET"]),
    Rule("/b/<x>", endpoint="tail", methods=["GET"]),
    Rule("/b/a/", endpoint="below", methods=["GET"]),
    Rule("/b/c", endpoint="put", methods=["PUT"]),
    Rule("/a/<x>", endpoint="text", methods=["GET", "POST"]),
    Rule("/a/<int:n>", endpoint="int", methods=["GET"]),
    Rule("/a/<int:n>/<y>", endpoint="two", methods=["GET"]),
    Rule("/a/<float(signed=True):f>", endpoint="float", methods=["GET"]),
    Rule("/a/<any(red, green):colour>/c", endpoint="any", methods=["GET"]),
    Rule("/a/<string(length=2):s>/c", endpoint="short", methods=["GET"]),
    Rule("/v<int:major>.<int:minor>/", endpoint="version", methods=["GET"]),
    Rule("/even/<even:n>", endpoint="even", methods=["GET"]),
    Rule("/even/<x>", endpoint="odd", methods=["POST"]),
    Rule("/loose/", endpoint="loose", methods=["GET"], strict_slashes=False),
    Rule("/loose2", endpoint="loose2", methods=["GET"], strict_slashes=False),
    Rule("/<page>/", endpoint="page", methods=["GET"]),
    Rule("/files/<path:p>", endpoint="path", methods=["GET"]),
    Rule("/files/<path:p>/edit", endpoint="edit", methods=["GET"]),
    Rule("/wide/<wide:w>/end", endpoint="wide", methods=["GET"]),
    Rule("/old/<int:n>", endpoint="old", methods=["GET"], redirect_to="/new/<n>"),
    Rule("/default/", endpoint="default", methods=["GET"], defaults={"page": 1}),
    Rule("/default/<int:page>", endpoint="default", methods=["GET"]),
    Rule("/ws", endpoint="ws", websocket=True),
    Rule("/every", endpoint="every"),
    Rule("/build", endpoint="build", build_only=True),
    Rule("/uuid/<uuid:u>", endpoint="uuid", methods=["GET"]),
]
PARTS = (
    "", "a", "b", "c", "red", "12", "3", "-1.5", "1.5", "v1.2", "even", "loose", "loose2", "files",
    "x y", "edit", "wide", "end", "old", "default", "ws", "every", "build", "uuid", "٣",
    "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "\n", "page",
)  # fmt: skip
PATHS = [
    *(f"/{one}" for one in PARTS),
    *(f"/{one}/{two}" for one in PARTS for two in PARTS if one),
    *(f"/{one}/{two}/{three}" for one in PARTS[1:] for two in PARTS for three in PARTS),
]


def router_of(url_map: Map) -> Router[Rule]:
    """Make a router that finds the rules themselves."""
    return Router(url_map, {id(rule): rule for rule in url_map.iter_rules()})


def find(router: Router[Rule], method: str, path: str) -> tuple[Rule, Any] | None:
    """Find the rule of a path, given as text, and its values."""
    return router.find(method, path.encode().decode("latin-1"))


@pytest.fixture(scope="module")
def url_map() -> Map:
    """Give a map of all these rules."""
    return Map([rule.empty() for rule in RULES], converters={"even": Even, "wide": Wide})


def by_werkzeug(url_map: Map, method: str, path: str) -> tuple[Rule, Any] | None:
    """Give what Werkzeug finds; ``None`` for a redirect or an error other than 404."""
    try:
        rule, values = url_map.bind("localhost").match(path, method, return_rule=True)
    except NotFound:
        return NOWHERE
    except HTTPException:
        return None
    return rule, dict(values)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_it_never_finds_another_rule_than_werkzeug(url_map: Map, method: str) -> None:
    """What is found for any path is the rule, with the values, that Werkzeug finds."""
    router = router_of(url_map)
    for path in PATHS:
        found = find(router, method, path)
        if found is not None:
            assert (path, found) == (path, by_werkzeug(url_map, method, path))


@pytest.mark.parametrize(
    "endpoint",
    "root literal tail text int two float any short version even path edit uuid page wide".split(),
)
def test_ordinary_rules_are_found(url_map: Map, endpoint: str) -> None:
    """Literal paths and all converters are matched without Werkzeug."""
    router = router_of(url_map)
    found = {
        rule.endpoint for path in PATHS for rule in [(find(router, "GET", path) or [0])[0]] if rule
    }
    assert endpoint in found


@pytest.mark.parametrize(
    "path",
    ["/old/3", "/default/", "/default/3", "/ws", "/every", "/build", "/loose", "/loose2/", "/page"],
)
def test_unusual_rules_are_left_to_werkzeug(url_map: Map, path: str) -> None:
    """Redirects, defaults, loose slashes, websockets and rules without methods are not decided."""
    assert router_of(url_map).find("GET", path) is None


def test_every_path_that_werkzeug_finds_plainly_is_found() -> None:
    """Among rules with nothing unusual nothing is left to Werkzeug."""
    rules = [rule.empty() for rule in RULES if rule.endpoint in ("literal", "text", "int", "two")]
    url_map = Map(rules)
    router = router_of(url_map)
    for path in PATHS:
        if "//" not in path:
            assert find(router, "GET", path) == by_werkzeug(url_map, "GET", path)


def test_options_are_left_to_werkzeug(url_map: Map) -> None:
    """An answer to ``OPTIONS`` needs all methods of the path."""
    options = Map([Rule("/", endpoint="root", methods=["GET", "OPTIONS"])])
    assert router_of(options).find("OPTIONS", "/") is None


def test_bare_router_finds_nothing(url_map: Map) -> None:
    """Where more than the path counts, everything is left to Werkzeug."""
    assert Router(url_map, {}).find("GET", "/") is None


def test_rules_of_other_subdomains_are_not_found() -> None:
    """Only the rules of the default subdomain are there."""
    rules = [Rule("/", endpoint="www", subdomain="www"), Rule("/x", endpoint="x", subdomain="<n>")]
    assert router_of(Map(rules[:1])).find("GET", "/") is NOWHERE
    assert router_of(Map([rules[1]])).find("GET", "/x") is None


def test_failing_converter_is_left_to_werkzeug() -> None:
    """A number that is too long to be read is decided by Werkzeug, which says 404."""
    url_map = Map([Rule("/<int:n>", endpoint="n", methods=["GET"])])
    assert router_of(url_map).find("GET", f"/{'9' * 5000}") is None


@pytest.mark.parametrize("path", ["", "a", "//a", "//", "a/b"])
def test_odd_starts_are_left_to_werkzeug(url_map: Map, path: str) -> None:
    """A path without its slash, or with several, is set right by Werkzeug."""
    assert router_of(url_map).find("GET", path) is None


class Rest(BaseConverter):
    """Digits, of all that remains of a path."""

    regex = r"\d+"
    part_isolating = False


def test_variable_that_takes_the_rest_is_tested_as_a_whole() -> None:
    """A converter that takes all that remains fits only where all of it does."""
    url_map = Map([Rule("/p/<rest:x>", endpoint="p", methods=["GET"])], converters={"rest": Rest})
    assert find(router_of(url_map), "GET", "/p/1/b/c") == by_werkzeug(url_map, "GET", "/p/1/b/c")
    assert find(router_of(url_map), "GET", "/p/1") == by_werkzeug(url_map, "GET", "/p/1")
