"""What the population is made of: rules, options, settings, paths, headers."""

from __future__ import annotations

from typing import Any

from tests.engine.differential.converters import UUID
from tests.engine.differential.description import Rule
from tests.engine.differential.steps import ERRORS


def to_leaf(adapter: Any, **values: Any) -> str:
    """Say where a rule leads."""
    return f"/leaf?{len(values)}"


PATHS = (
    *("/", "/a", "/a/", "/a/b", "/a/b/", "/a//b", "/ab", "/a b", "/é", "/a|b", "/A", "/a.b"),
    *("/<x>", "/<x>/", "/a/<x>", "/a/<x>/", "/<x>/b", "/<x>/<y>", "/<x>/a/<y>/", "/é/<x>"),
    *("/n/<int:n>", "/n/<int:n>/", "/n/<int(signed=True):n>", "/n/<int(fixed_digits=3):n>"),
    *("/n/<int(min=2, max=50):n>", "/<int:n>", "/<int:n>/<int:m>", "/n/<int:n>/b"),
    *("/f/<float:f>", "/f/<float(signed=True):f>", "/f/<float(max=2):f>"),
    *("/s/<string(length=2):s>", "/s/<string(minlength=2, maxlength=4):s>", "/s/<string:s>"),
    *("/p/<path:p>", "/p/<path:p>/edit", "/p/<path:p>/", "/<path:p>", "/<x>/<path:p>"),
    *("/any/<any(a, b, 'c d'):w>", "/any/<any(red,ab):w>/b", "/u/<uuid:u>", "/u/<uuid:u>/b"),
    *("/<int:n>-<s>", "/<x>.<y>", "/v<int:n>", "/<x>_<int:n>", "/a-<x>-b", "/<float:f>x"),
    *("/c/<pair:c>", "/c/<pair:c>/b", "/c/<picky:c>", "/c/<choice(red, ab):c>", "/g<greedy:c>"),
    *("/c/<choice(red, ab, weight=10):c>/<x>", "/<picky:c>", "/c/<picky:c>/"),
)
METHODS = (["GET"], ["POST"], ["GET", "POST"], ["put", "Delete"], ["OPTIONS"], ["HEAD"], [])
CONFIG: dict[str, tuple[Any, ...]] = {
    "DEBUG": (True,),
    "TESTING": (True,),
    "PROPAGATE_EXCEPTIONS": (True, False),
    "TRAP_HTTP_EXCEPTIONS": (True,),
    "TRAP_BAD_REQUEST_ERRORS": (True, False),
    "SESSION_REFRESH_EACH_REQUEST": (False,),
    "SESSION_COOKIE_DOMAIN": ("example.test",),
    "SESSION_COOKIE_PARTITIONED": (True,),
    "SECRET_KEY": (None,),
    "SECRET_KEY_FALLBACKS": (["old"],),
    "MAX_CONTENT_LENGTH": (0, 20),
    "MAX_FORM_PARTS": (1,),
    "SERVER_NAME": ("example.test", "localhost", "localhost:5000"),
    "APPLICATION_ROOT": ("/root",),
    "TRUSTED_HOSTS": (["example.test", ".trusted.test"], ["localhost"]),
    "PREFERRED_URL_SCHEME": ("https",),
    "PROVIDE_AUTOMATIC_OPTIONS": (False,),
    "EXPLAIN_TEMPLATE_LOADING": (False,),
    "USE_X_SENDFILE": (True,),
    "MAX_COOKIE_SIZE": (0, 20),
}
URL_MAP = {
    "strict_slashes": False,
    "merge_slashes": False,
    "redirect_defaults": False,
    "sort_parameters": True,
}
SIGNALS = (
    "own",
    "own",
    "any",
    "request_started",
    "request_finished",
    "got_request_exception",
    "request_tearing_down",
    "appcontext_popped",
)
HOSTS = (
    "localhost",
    "example.test",
    "api.example.test",
    "LOCALHOST",
    "localhost:5000",
    "x",
    "a..b",
    "a" * 70 + ".test",
    "[::1]:80",
    "[::1",
    "é.test",
    "a b",
    "",
    "sub.trusted.test",
    "localhost:80",
    "localhost:",
    ".example.test",
    "example.test:abc",
)
ODD_PATHS = (
    "",
    "/",
    "//",
    "///a",
    "//a",
    "/a//",
    "//a//b/",
    "a",
    "/a/../b",
    "/./a",
    "/nowhere",
    "/%00",
    "/\x00",
    "/a\x00",
    "/é",
    "/\udcff",
    "/a/\udcc3",
    "/static/snow.txt",
    "/leaf",
    "/leaf/",
    "/static/",
    "/static/../x",
    "/late/5",
    "/new",
    "*",
    "/a?b",
    "/a#b",
    "/ a ",
    "http://x/a",
    "/a;b=c",
    "/\n",
    "/" + "a/" * 50,
    "/a b",
    "/a|b",
    "|/a",
    "/LEAF",
)
REQUEST_METHODS = (
    *("HEAD", "POST", "POST", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"),
    *("get", "Head", "TRACE", "BREW", "", "PROPFIND", "G T"),
)
QUERIES = (
    "",
    "",
    "a=1",
    "a=1&a=2&b",
    "a=%C3%A9&%ff=%00",
    "é=ü".encode().decode("latin-1"),  # raw bytes of other encodings are a 500 only to Flask
    "&&==&",
    "x=" + "1" * 200,
    "?",
    "a+b=c+d",
)
HEADERS = (
    *(("X-Token", "t"), ("Accept", "application/json"), ("Accept", "text/html;q=0.8,*/*;q=x")),
    *(("If-None-Match", '"abc"'), ("Range", "bytes=1-3"), ("Range", "bytes=99-"), ("X-Token", "é")),
    *(("Authorization", "Basic YTpi"), ("Authorization", "Bearer x"), ("Authorization", "x")),
    *(("Connection", "Upgrade"), ("Accept-Language", "de, en;q=0.5"), ("User-Agent", "snow/1")),
    *(("X-Forwarded-For", "1.2.3.4, 5.6.7.8"), ("X-HTTP-Method-Override", "PUT"), ("Host", "x")),
)
ENVIRONS: tuple[dict[str, Any], ...] = (
    *({"SCRIPT_NAME": "/prefix"}, {"SCRIPT_NAME": "/prefix/"}, {"SCRIPT_NAME": "/é"}),
    *({"HTTP_HOST": None}, {"HTTP_HOST": None, "SERVER_NAME": "example.test", "SERVER_PORT": "8"}),
    *({"wsgi.url_scheme": "https"}, {"wsgi.url_scheme": "ws"}, {"REMOTE_ADDR": None}),
    {"HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "Upgrade"},
    *(
        {"PATH_INFO": None},
        {"QUERY_STRING": None},
        {"PATH_INFO": "/\xe9"},
        {"SERVER_PROTOCOL": "HTTP/1.0"},
    ),
    *({"CONTENT_LENGTH": "", "CONTENT_TYPE": ""}, {"REMOTE_USER": "ann"}),
    {"REQUEST_URI": "/a%20b?x", "RAW_URI": "/a%20b?x"},
)
OPTIONS: dict[str, dict[str, Any]] = {
    "strict_slashes": {"strict_slashes": True},
    "loose slashes": {"strict_slashes": False},
    "merge_slashes": {"merge_slashes": False},
    "defaults": {"defaults": {"page": 1}},
    "defaults of a variable": {"defaults": {"lang": "a"}},
    "redirect_to": {"redirect_to": "/leaf"},
    "redirect_to function": {"redirect_to": to_leaf},
    "build_only": {"build_only": True},
    "alias": {"alias": True},
    "websocket": {"websocket": True},
    "no automatic options": {"provide_automatic_options": False},
    "automatic options": {"provide_automatic_options": True, "methods": ["POST"]},
    "subdomain": {"subdomain": "api"},
    "variable subdomain": {"subdomain": "<sub>"},
}
PAGES = (Rule("/pages/", {"defaults": {"page": 1}}), Rule("/pages/page/<int:page>"))
ALIASES = (Rule("/users/<int:n>"), Rule("/people/<int:n>", {"alias": True}))


#: Rules that belong to one endpoint.
MOVED = (Rule("/new/<x>"), Rule("/old/<x>", {"redirect_to": "/new/<x>"}))
GROUPS = (PAGES, ALIASES, MOVED)
KEYS = (400, 404, 405, 418, 500, *ERRORS)
APP_HOOKS = (
    "before_request",
    "after_request",
    "teardown_request",
    "teardown_appcontext",
    "url_value_preprocessor",
    "url_defaults",
    "context_processor",
    "errorhandler",
    "errorhandler",
)
BLUEPRINT_HOOKS = (
    "before_request",
    "after_request",
    "teardown_request",
    "url_value_preprocessor",
    "url_defaults",
    "context_processor",
    "errorhandler",
    "before_app_request",
    "after_app_request",
    "teardown_app_request",
    "app_url_value_preprocessor",
    "app_url_defaults",
    "app_context_processor",
    "app_errorhandler",
)


BLUEPRINT_OPTIONS: tuple[dict[str, Any], ...] = (
    *(
        {},
        {"url_prefix": "/bp"},
        {"url_prefix": "/bp/"},
        {"url_prefix": "/<lang>"},
        {"url_prefix": "/"},
    ),
    *({"url_prefix": "/n/<int:k>"}, {"url_defaults": {"extra": 1}, "url_prefix": "/bp"}),
    *({"subdomain": "api"}, {"name": "renamed", "url_prefix": "/bp"}),
)


KINDS_OF_MAP: tuple[dict[str, Any], ...] = (
    {"subdomain_matching": True},
    {"host_matching": True, "static_folder": None},
    {"static_folder": None},
)


FITTING = {
    "int": ("1", "7", "42", "007", "123"),
    "float": ("1.5", "2.0"),
    "uuid": (UUID,),
    "path": ("a", "a/b", "a/b/c"),
    "any": ("a", "c d", "red"),
    "pair": ("ab/12",),
    "picky": ("ok", "invalid", "wrong", "gone"),
    "choice": ("red", "ab"),
    "string": ("ab", "abc"),
}
MUTATIONS = (
    lambda path: path + "/",
    lambda path: path.rstrip("/"),
    lambda path: "/" + path,
    lambda path: path.replace("/", "//", 2),
    lambda path: path + "\n",
    lambda path: path.upper(),
)
