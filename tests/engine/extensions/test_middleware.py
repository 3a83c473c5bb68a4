from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask, current_app, g, request, session, url_for
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client


def where() -> dict[str, Any]:
    """Say which application answers, and where it believes to be."""
    g.visits = g.get("visits", 0) + 1
    return {
        "app": current_app.config["LABEL"],
        "root": request.script_root,
        "path": request.path,
        "url": url_for("where", _external=True),
        "visits": g.visits,
    }


def named(application: type[Flask], label: str) -> Flask:
    """Make an application that says its name."""
    app = application(__name__)
    app.config["LABEL"] = label
    app.secret_key = f"the key of {label}"
    app.add_url_rule("/where", view_func=where)
    return app


def test_two_applications_under_one_roof(application: type[Flask]) -> None:
    """Each of two dispatched applications has its own context, root and addresses."""
    both = DispatcherMiddleware(named(application, "front"), {"/back": named(application, "back")})
    client = Client(both)
    for _ in range(2):
        for label, root in (("front", ""), ("back", "/back")):
            assert client.get(f"{root}/where").json == {
                "app": label,
                "root": root,
                "path": "/where",
                "url": f"http://localhost{root}/where",
                "visits": 1,
            }
    assert client.get("/back/nothing").status_code == 404


def test_application_inside_another(application: type[Flask]) -> None:
    """A request to another application, made in a view, leaves the outer context as it was."""
    front, back = named(application, "front"), named(application, "back")
    back.add_url_rule("/fail", "fail", view_func=lambda: 1 / 0)

    @front.get("/through")
    def through() -> list[Any]:
        before, session["visitor"] = where(), "anna"
        answers = [back.test_client().get(path) for path in ("/where", "/fail")]
        return [before, answers[0].json["app"], answers[1].status_code, where(), dict(session)]

    before, inner, failed, after, kept = front.test_client().get("/through").json
    assert (inner, failed, kept) == ("back", 500, {"visitor": "anna"})
    assert after == {**before, "visits": 2}


def test_behind_a_proxy(app: Flask) -> None:
    """With ProxyFix in ``wsgi_app`` the application sees the client and the address it used."""
    app.config["LABEL"] = "front"
    app.add_url_rule("/where", view_func=where)
    app.add_url_rule("/who", "who", view_func=lambda: f"{request.remote_addr} {request.scheme}")
    app.wsgi_app = ProxyFix(app.wsgi_app, x_prefix=1, x_host=1)
    sent = {
        "X-Forwarded-For": "192.0.2.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "shop.example",
        "X-Forwarded-Prefix": "/shop",
    }
    assert app.test_client().get("/who", headers=sent).text == "192.0.2.9 https"
    found = app.test_client().get("/where", headers=sent).json
    assert (found["url"], found["root"]) == ("https://shop.example/shop/where", "/shop")


@pytest.mark.parametrize(
    ("puts_back", "seen"), [(True, (200, {"name": "anna"})), (False, (400, None))]
)
def test_body_read_by_a_middleware(app: Flask, puts_back: bool, seen: object) -> None:
    """A view reads the body that a middleware read and put back; a body that is gone is a 400."""
    bodies, inner = [], app.wsgi_app

    def reader(environ: dict[str, Any], start_response: Any) -> Any:
        bodies.append(environ["wsgi.input"].read())
        if puts_back:
            environ["wsgi.input"] = io.BytesIO(bodies[-1])
        return inner(environ, start_response)

    app.wsgi_app = reader
    app.add_url_rule("/", "post", lambda: request.get_json(), methods=["POST"])
    answer = app.test_client().post("/", json={"name": "anna"})
    assert (answer.status_code, answer.json) == seen
    assert bodies == [b'{"name": "anna"}']
