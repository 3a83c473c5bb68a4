from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask import Response, send_file, session
from werkzeug.datastructures import Headers

from buttress import Service
from tests.services import Make

HTTPS = "https://shop.example"


def headers(app: Service, path: str = "/", url: str = "http://shop.example") -> Headers:
    """Give the headers of an answer."""
    return app.test_client().get(path, base_url=url).headers


def shop(make: Make, **config: Any) -> Service:
    """Make a service with data at ``/data``, a page at ``/page`` and a visit at ``/visit``."""
    app = make(**config)
    app.add_url_rule("/data", view_func=lambda: {"open": True})
    app.add_url_rule("/page", "page", view_func=lambda: "<p>open</p>")

    @app.get("/visit")
    def visit() -> str:
        session["seen"] = True
        return ""

    return app


@pytest.mark.parametrize("path", ["/data", "/page", "/nothing", "/livez"])
def test_every_answer_has_them(make: Make, path: str) -> None:
    """Data, pages, errors and probes carry the plain security headers, in tests too."""
    found = headers(shop(make), path)
    assert found["X-Content-Type-Options"] == "nosniff"
    assert found["X-Frame-Options"] == "SAMEORIGIN"
    assert found["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "camera=()" in found["Permissions-Policy"]


def test_data_gets_the_closed_policy(make: Make) -> None:
    """Content that is not HTML may load nothing and be framed by nobody."""
    expected = "default-src 'none'; frame-ancestors 'none'"
    assert headers(shop(make), "/data")["Content-Security-Policy"] == expected


def test_page_gets_a_modest_policy(make: Make) -> None:
    """HTML may use its own origin, and no inline scripts."""
    policy = headers(shop(make), "/page")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/kept", "/nonce"])
def test_page_that_is_kept_keeps_its_policy(make: Make, path: str) -> None:
    """A 304 says nothing of content: a browser would hold the page that it has to that."""
    app = shop(make)

    def kept() -> Response:
        return send_file(BytesIO(b"<p>kept</p>"), mimetype="text/html", etag="kept")

    app.add_url_rule("/kept", "kept", kept)
    app.add_url_rule("/nonce", "nonce", lambda: app.security.csp_nonce() and kept())
    client = app.test_client()
    page = client.get(path)
    again = client.get(path, headers={"If-None-Match": page.headers["ETag"]})
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert (again.status_code, "Content-Security-Policy" in again.headers) == (304, False)
    assert again.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/data", "/page", "/nothing"])
def test_questions_without_a_body(make: Make, path: str) -> None:
    """HEAD has the headers of GET; OPTIONS has security headers too."""
    client = shop(make).test_client()
    get, head, options = (client.open(path, method=it) for it in ("GET", "HEAD", "OPTIONS"))
    mine = {*get.headers} - {it for it in get.headers if it[0] == "X-Request-Id"}
    assert mine <= {*head.headers}
    assert options.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_transport_security_needs_https(make: Make) -> None:
    """``Strict-Transport-Security`` is sent over HTTPS, never over plain HTTP."""
    app = shop(make)
    assert headers(app, url=HTTPS)["Strict-Transport-Security"].startswith("max-age=31556926")
    assert "Strict-Transport-Security" not in headers(app)


def test_settings_replace_and_remove(make: Make) -> None:
    """A setting replaces a header; an empty one removes it; the others stay."""
    app = shop(make, SECURITY_FRAME_OPTIONS="DENY", SECURITY_CONTENT_POLICY="")
    found = headers(app, "/data")
    assert found["X-Frame-Options"] == "DENY"
    assert "Content-Security-Policy" not in found
    assert found["X-Content-Type-Options"] == "nosniff"


def test_handler_wins(make: Make) -> None:
    """A header that the handler sets, in whatever case, is left as it is and is the only one."""
    app = shop(make)
    own = {"x-frame-options": "DENY", "Content-Security-Policy": "default-src https:"}
    app.add_url_rule("/own", "own", view_func=lambda: ("", own))
    found = headers(app, "/own")
    assert found.getlist("X-Frame-Options") == ["DENY"]
    assert found.getlist("Content-Security-Policy") == ["default-src https:"]


def test_control_character_is_refused(make: Make) -> None:
    """A setting that would break a header stops the boot and is named."""
    with pytest.raises(Exception, match="SECURITY_FRAME_OPTIONS.*control character"):
        make(SECURITY_FRAME_OPTIONS="DENY\r\nSet-Cookie: a=b")


def cookie(app: Service) -> str:
    """Give the session cookie that a first visit sets, in lower case."""
    app.secret_key = "0123456789abcdef" * 4
    return headers(app, "/visit", HTTPS)["Set-Cookie"].lower()


def test_session_cookie_in_production(make: Make) -> None:
    """The session cookie is HttpOnly, SameSite=Lax and, in production, Secure."""
    found = cookie(shop(make, MODE="production"))
    assert all(word in found for word in ("httponly", "samesite=lax", "secure"))


def test_session_cookie_elsewhere(make: Make) -> None:
    """Outside production it works over plain HTTP."""
    found = cookie(shop(make))
    assert "samesite=lax" in found
    assert "secure" not in found


def test_chosen_cookie_settings_stay(make: Make) -> None:
    """What the user has set of the session cookie is not touched."""
    chosen = {"SESSION_COOKIE_SECURE": False, "SESSION_COOKIE_SAMESITE": "Strict"}
    found = cookie(shop(make, MODE="production", **chosen))
    assert "samesite=strict" in found
    assert "secure" not in found
