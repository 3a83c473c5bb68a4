from __future__ import annotations

from itertools import count

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from flask_caching import Cache


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Make an application whose answers count how often they were computed."""
    cache = Cache(app, config={"CACHE_TYPE": "SimpleCache"})
    pages, queries, prices = count(1), count(1), count(1)

    @app.get("/page/<name>")
    @cache.cached(timeout=60, response_hit_indication=True)
    def page(name: str) -> dict[str, object]:
        return {"name": name, "made": next(pages)}

    @app.get("/query")
    @cache.cached(query_string=True)
    def query() -> str:
        return f"{request.args['q']} {next(queries)}"

    @cache.memoize()
    def price(lift: str) -> str:
        return f"{lift} {next(prices)}"

    @app.get("/price/<lift>")
    def show(lift: str) -> str:
        return price(lift)

    @app.delete("/price/<lift>")
    def forget(lift: str) -> tuple[str, int]:
        cache.delete_memoized(price, lift)
        return "", 204

    return app.test_client()


def test_view_is_cached_by_path(client: FlaskClient) -> None:
    """A cached view runs once for each path, and the second answer is told apart."""
    first, second = client.get("/page/a"), client.get("/page/a")
    assert first.json == second.json == {"name": "a", "made": 1}
    assert "hit_cache" not in first.headers
    assert second.headers["hit_cache"] == "True"
    assert (second.content_type, second.content_length) == (
        "application/json",
        first.content_length,
    )
    assert client.get("/page/b").json == {"name": "b", "made": 2}


def test_view_is_cached_by_query(client: FlaskClient) -> None:
    """Where the query counts, its order does not."""
    answers = [client.get(f"/query?{it}").text for it in ("q=1&p=2", "p=2&q=1", "q=2&p=2")]
    assert answers == ["1 1", "1 1", "2 2"]


def test_function_is_memoized(client: FlaskClient) -> None:
    """A memoized function runs once for each argument, until that one is forgotten."""
    prices = [client.get(f"/price/{lift}").text for lift in ("a", "b", "a")]
    assert client.delete("/price/a").status_code == 204
    prices += [client.get(f"/price/{lift}").text for lift in ("a", "b")]
    assert prices == ["a 1", "b 2", "a 1", "a 3", "b 2"]
