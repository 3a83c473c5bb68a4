"""The pages: login, logout, and the way to an OpenID provider and back."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
)

from buttress.auth.login.form import Browser, drop_cookie, set_cookie
from buttress.auth.login.identity import is_of_provider, user_of
from buttress.auth.login.journey import LASTS, Journey
from buttress.auth.login.login import login_here, mount
from buttress.auth.login.refusal import LoginRefused
from buttress.auth.routes import public
from buttress.errors import Problem, Unavailable

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as Answer

    from buttress.auth.auth import Auth
    from buttress.auth.login.oidc import Oidc
    from buttress.auth.users import User
    from buttress.service import Service

logger = logging.getLogger("buttress.auth")

#: The most characters of a name that is shown again.
LONGEST_NAME = 128
#: Why a login may have to wait, by the status that says so.
WAITING = {429: "slow", 503: "down"}

#: The login pages.
blueprint = public(Blueprint("login", __name__, template_folder="templates"))
blueprint.record(mount)


@blueprint.get("/login")
def page() -> Answer:
    """Show the form; who is known already goes on."""
    if _auth().principal:
        return redirect(login_here().target(request.args.get("next")))
    return _form(request.args.get("next"))


@blueprint.post("/login")
def submit() -> Answer:
    """Log in by name and password."""
    given, name = request.form.get("next"), request.form.get("name", "")
    if not _browser().sent:
        logger.info("403: this browser was not given the form that it sends%s", _plain())
        return _form(given, "stale", status=403)
    try:
        user = _auth().check(name, request.form.get("password", ""))
    except Problem as problem:
        if problem.code not in WAITING:
            raise
        return _form(given, WAITING[problem.code], name=name, problem=problem)
    if user is None:
        return _form(given, "wrong", status=422, name=name)
    return _enter(user, given)


@blueprint.get("/logout")
def leave() -> Answer:
    """Ask whether to log out, for browsers without the service's own button.

    The provider sends back here who has logged out there too.
    """
    auth, login = _auth(), login_here()
    if auth.principal:
        token = auth.csrf_token()
        return _page(render_template("login/logout.html", login=login, csrf_token=token))
    journey = _journey()
    if journey is None or not journey.is_state(request.args.get("state", "")):
        return redirect(login.url("page"))
    answer = _form(None, "out")
    drop_cookie(answer, login.cookie("oidc"))
    return answer


@blueprint.post("/logout")
def log_out() -> Answer:
    """End the session, here and then at the provider that the user came from.

    Raises 403 for what no page of this site has sent.
    """
    auth, login = _auth(), login_here()
    who = auth.principal  # tells forged requests from others
    auth.log_out()
    if not (login.provider and who.by == "session" and is_of_provider(auth, who.id)):
        return redirect(login.url("page"), 303)
    journey = Journey.begin(login.settings.home)
    there = login.oidc.logout_url(journey, login.url("leave", _external=True))
    if there is None:
        return redirect(login.url("page"), 303)
    # A page and no redirect: browsers let a form lead only where the policy of its page allows.
    answer = _page(render_template("login/leaving.html", login=login, there=there))
    set_cookie(answer, login.cookie("oidc"), journey.cookie, LASTS)
    return answer


@blueprint.get("/login/oidc")
def oidc() -> Answer:
    """Send the browser to the OpenID provider."""
    login, given = login_here(), request.args.get("next")
    client = _client()
    journey = Journey.begin(login.target(given))
    try:
        answer = redirect(client.url(journey, _redirect_uri()))
    except Unavailable as problem:
        return _form(given, "provider_down", problem=problem)
    answer.headers["Cache-Control"] = "no-store"
    set_cookie(answer, login.cookie("oidc"), journey.cookie, LASTS)
    return answer


@blueprint.get("/login/oidc/callback")
def oidc_callback() -> Answer:
    """Log in who comes back from the OpenID provider."""
    client, login = _client(), login_here()
    journey = _journey()
    target, down = None if journey is None else journey.target, "provider_down"
    try:
        if journey is None:
            raise LoginRefused("the browser has not been sent there")
        claims, down = client.claims(journey, request.args, _redirect_uri()), "down"
        answer = _enter(user_of(_auth(), client.settings, claims), target)
    except LoginRefused as refused:
        logger.info("A login at %s failed: %s", client.settings.issuer, refused)
        answer = _form(target, refused.problem, status=403)
    except Unavailable as problem:
        answer = _form(target, down, problem=problem)
    drop_cookie(answer, login.cookie("oidc"))
    return answer


def _client() -> Oidc:
    login = login_here()
    if not login.provider:
        abort(404)
    return login.oidc


def _journey() -> Journey | None:
    return Journey.read(request.cookies.get(login_here().cookie("oidc"), ""))


def _redirect_uri() -> str:
    """Give the one address that the provider may send browsers back to."""
    return login_here().url("oidc_callback", _external=True)


def _form(
    target: str | None,
    what: str = "",
    *,
    status: int = 200,
    name: str = "",
    problem: Problem | None = None,
) -> Answer:
    """Show the form again, with what is in the way; that of a problem is its status."""
    login, browser = login_here(), _browser()
    headers = {} if problem is None else problem.headers
    answer = _page(
        render_template(
            "login/login.html",
            login=login,
            csrf_token=browser.token,
            next=login.target(target),
            name=name[:LONGEST_NAME],
            problem=what,
            seconds=int(headers.get("Retry-After", 0)),
        )
    )
    answer.status_code = status if problem is None else problem.code or status
    answer.headers.extend(headers)
    browser.keep(answer)
    return answer


def _enter(user: User, target: str | None) -> Answer:
    """Begin a session, and go to where the user wanted to be."""
    _auth().log_in(user)
    answer = redirect(login_here().target(target), 303)
    _browser().drop(answer)
    return answer


def _page(text: str) -> Response:
    response = make_response(text)
    response.headers["Cache-Control"] = "no-store"
    return response


def _plain() -> str:
    """Say what keeps browsers from being known, where nobody would think of it."""
    if request.is_secure or cast("Service", current_app).mode == "development":
        return ""
    return ": it came by plain HTTP, by which browsers keep no cookie; see WEB_TRUSTED_PROXIES"


def _browser() -> Browser:
    return Browser(login_here().cookie("form"))


def _auth() -> Auth:
    return cast("Service", current_app).auth
