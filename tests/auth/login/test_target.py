"""Where a login may lead to."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest

from buttress.auth.login.target import LONGEST, within_site
from tests.auth.login.conftest import PASSWORD, SITE, Browser, fields
from tests.auth.strings import naughty
from tests.corpora import corpus

EVIL = ("evil.example", "evil.example:443", "user@evil.example", "localhost.evil.example")


def redirects() -> list[str]:
    """Give what is put into redirects to lead to another site."""
    folder = corpus("injection")
    lines = [
        line
        for file in sorted(folder.glob("redirect*.txt"))
        for line in file.read_text().splitlines()
    ]
    filled = [line.replace("{target}", evil) for line in lines for evil in EVIL]
    values = [it.partition("=")[2] for it in filled if "=" in it]
    schemes = [f"{scheme}:{evil}" for scheme in ("http", "javascript", "data") for evil in EVIL]
    odd = [f"/{odd}/evil.example" for odd in ("\t", "\n", "\r", " ", "\\", "\0", "\t/", "@", ".")]
    return [*filled, *values, *schemes, *odd, *(f" {it}" for it in filled)]


def as_a_browser(location: str) -> str:
    """Give the origin that a browser goes to (WHATWG URL, 4.4)."""
    text = re.sub(r"[\t\n\r]", "", location.strip("".join(map(chr, range(33)))))
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text)
    if scheme is None or scheme[0].lower() in ("http:", "https:"):
        text = text.replace("\\", "/")
        text = re.sub(r"^(https?:)?/{2,}", r"\1//", text)
    parts = urlsplit(urljoin(f"{SITE}/login", text))
    return f"{parts.scheme}://{parts.netloc}"


@pytest.mark.parametrize("path", ["/", "/pistes/7?a=1&b=//x#y", "/a//b", "/%2f/x", "/@x", "/:80"])
def test_a_page_of_this_site(path: str) -> None:
    """A path with a query is taken as it is."""
    assert within_site(path) == path


@pytest.mark.parametrize(
    "text",
    ["", "x", "//x", "///x", "/\\x", "/a\\b", "\\x", "/\t/x", "/ x", "/é", "/\x7f", "/a\n", "?x"],
)
def test_what_may_lead_elsewhere(text: str) -> None:
    """Whatever a browser may read as another host is refused, and what is no path at all."""
    assert within_site(text) is None


def test_what_is_too_long() -> None:
    """A path has so many characters at most."""
    assert within_site("/" + "x" * (LONGEST - 1)) is not None
    assert within_site("/" + "x" * LONGEST) is None


def test_no_login_leads_to_another_site(browser: Browser) -> None:
    """Whatever the page was asked to lead to, and whatever its form says, it is this site."""
    locations = set()
    for text in [*redirects(), *naughty()]:
        page = browser.open("/login", query_string={"next": text}).text
        locations.add(fields(page)["next"])
    browser.log_in()
    for text in [*redirects(), *naughty()]:
        locations.add(browser.open("/login", query_string={"next": text}).location)
    assert {as_a_browser(it) for it in locations} == {SITE}


def test_no_form_leads_to_another_site(browser: Browser) -> None:
    """The field of the form is as little trusted as the query, after a login or a mistake."""
    for text in ("//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example"):
        data = {**fields(browser.open("/login").text), "next": text, "name": "ada"}
        assert fields(browser.post("/login", {**data, "password": "x"}).text)["next"] == "/"
        assert browser.post("/login", {**data, "password": PASSWORD}).location == "/"
        browser.post("/logout", {}, Origin=SITE)


def test_the_oracle_knows_other_sites() -> None:
    """What these tests take for a browser sees where the usual tricks lead."""
    for text in ("//e.x", "/\\e.x", "http:e.x", "/\t/e.x", "\\\\e.x", " //e.x", "javascript:1"):
        assert as_a_browser(text) != SITE
