"""Settings of the web edge: errors, security headers, CORS and templates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, ValidationError, convert, field
from msgspec.structs import asdict

from buttress.config import Key, Section
from buttress.web.hosts import is_host_pattern
from buttress.web.proxies import UNIX, network_of

#: What cannot be sent in a header: control characters, and what Latin-1 does not have.
_UNFIT = re.compile(r"[^\x20-\x7e\xa0-\xff]")
#: As browsers write an origin: in lower case, without a port that goes without saying.
_ORIGIN = re.compile(
    r"\*|[a-z][a-z0-9+.-]*://(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?"
)
_USUAL_PORTS = {"http": ":80", "https": ":443"}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_METHOD = re.compile(r"\*|[A-Z][A-Z0-9_-]*")
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")

#: Seconds of the longest deadline of a request, one day.
LONGEST_DEADLINE = 86400.0


class WebSettings(Section):
    """Say how errors are answered, and how long a request may take."""

    errors_style: Annotated[
        Literal["problem", "gnar"],
        Meta(
            description="Shape of error answers: `problem` (RFC 9457, true status codes) or `gnar` "
            "(status 200 and an `error` member, as Gnar Gear answered)."
        ),
        Key(name="ERRORS_STYLE"),
    ] = "problem"
    expose_traceback: Annotated[
        bool,
        Meta(
            description="Put tracebacks into error answers outside of development too, as Gnar "
            "Gear did. They tell an attacker what runs: never where strangers can ask."
        ),
        Key(name="EXPOSE_TRACEBACK"),
    ] = False
    request_deadline: Annotated[
        Annotated[float, Meta(gt=0, le=LONGEST_DEADLINE)] | None,
        Meta(
            description="Seconds from the arrival of a request after which nobody waits for its "
            "answer; extensions shorten their timeouts to what is left. Unset: no limit."
        ),
        Key(name="REQUEST_DEADLINE"),
    ] = None
    request_deadline_header: Annotated[
        str,
        Meta(
            description="Name of a request header in which trusted callers say for how many "
            "seconds they still wait; the shorter of both holds. Empty: no header is trusted."
        ),
        Key(name="REQUEST_DEADLINE_HEADER"),
    ] = ""
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(
            description="Addresses and networks of the proxies in front, such as `10.0.0.0/8`, and "
            "`unix` for the service's own Unix socket; what they say in `X-Forwarded-For`, "
            "`-Proto`, `-Host` and `-Port` is believed. By default nobody is."
        ),
    ] = ()
    allowed_hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="Hosts that requests may name, as `shop.example`, or `.shop.example` for "
            "its subdomains too; all others are refused. By default any."
        ),
    ] = ()

    def problems(self) -> Iterable[str]:
        """Name a header, a proxy or a host that cannot be one."""
        yield from self._header_problems()
        for proxy in self.trusted_proxies:
            if proxy != UNIX and (problem := _network_problem(proxy)):
                yield f"WEB_TRUSTED_PROXIES: {problem}"
        for host in self.allowed_hosts:
            if not is_host_pattern(host):
                yield (
                    f"WEB_ALLOWED_HOSTS: {host!r} is no host: write 'shop.example', or "
                    "'.shop.example' for its subdomains too, without scheme and port."
                )

    def _header_problems(self) -> Iterable[str]:
        header = self.request_deadline_header
        if header.lower() in ("content-length", "content-type", "host"):
            yield (
                f"REQUEST_DEADLINE_HEADER={header!r} says something else of a request: "
                "name a header of your own, such as 'X-Deadline'."
            )
        if header and not _FIELD_NAME.fullmatch(header):
            yield (
                f"REQUEST_DEADLINE_HEADER={header!r} is no name of a header: write letters, "
                "digits and hyphens, as in 'X-Deadline'."
            )


class SecuritySettings(Section):
    """Hold the security headers of every answer; an empty value sends none."""

    content_type_options: Annotated[
        str, Meta(description="The header `X-Content-Type-Options`.")
    ] = "nosniff"
    frame_options: Annotated[str, Meta(description="The header `X-Frame-Options`.")] = "SAMEORIGIN"
    referrer_policy: Annotated[str, Meta(description="The header `Referrer-Policy`.")] = (
        "strict-origin-when-cross-origin"
    )
    permissions_policy: Annotated[str, Meta(description="The header `Permissions-Policy`.")] = (
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    )
    content_policy: Annotated[
        str, Meta(description="The header `Content-Security-Policy` of answers that are not HTML.")
    ] = "default-src 'none'; frame-ancestors 'none'"
    page_policy: Annotated[
        str,
        Meta(
            description="The header `Content-Security-Policy` of HTML pages; those that call "
            "`csp_nonce()` get its nonce added."
        ),
    ] = (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; "
        "form-action 'self'; frame-ancestors 'self'"
    )
    transport: Annotated[
        str, Meta(description="The header `Strict-Transport-Security`, sent over HTTPS only.")
    ] = "max-age=31556926; includeSubDomains"

    def problems(self) -> Iterable[str]:
        """Name the values that cannot stand in a header."""
        for name in self.__struct_fields__:
            if _UNFIT.search(getattr(self, name)):
                yield (
                    f"SECURITY_{name.upper()} holds a control character, or one beyond Latin-1: "
                    "write it on one line."
                )


Words: TypeAlias = str | tuple[str, ...]


class CorsRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold what one entry of ``CORS_RESOURCES`` changes for its paths; ``None`` changes nothing."""

    origins: Words | None = None
    methods: Words | None = None
    allow_headers: Words | None = None
    expose_headers: Words | None = None
    supports_credentials: bool | None = None
    max_age: Annotated[int, Meta(ge=0)] | None = None

    def given(self) -> dict[str, Any]:
        """Give the options that are set; texts are split at spaces and commas."""
        return {name: _words(value) for name, value in asdict(self).items() if value is not None}


class CorsSettings(Section):
    """Say which foreign pages may read the answers; nobody's may by default."""

    origins: Annotated[
        tuple[str, ...],
        Meta(description="Origins that may read answers, as `https://shop.example`; `*`: all."),
    ] = ()
    methods: Annotated[tuple[str, ...], Meta(description="Methods that a preflight allows.")] = (
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
    )
    allow_headers: Annotated[
        tuple[str, ...],
        Meta(description="Request headers that a preflight allows; `*` allows those asked for."),
    ] = ("Authorization", "Content-Type")
    expose_headers: Annotated[
        tuple[str, ...],
        Meta(description="Response headers that a foreign page may read."),
    ] = ()
    supports_credentials: Annotated[
        bool, Meta(description="Let foreign pages send cookies; not together with the origin `*`.")
    ] = False
    max_age: Annotated[
        int, Meta(description="Seconds for which a browser may keep a preflight's answer.", ge=0)
    ] = 600
    resources: Annotated[
        dict[str, dict[str, Any]],
        Meta(
            description="Options by path: a regular expression, matched from the start of it, and "
            "what it changes. Where given, all other paths stay closed."
        ),
    ] = field(default_factory=dict)

    def rules(self) -> dict[str, dict[str, Any]]:
        """Give the options of every path pattern, those of ``resources`` over the general ones."""
        general = {name: getattr(self, name) for name in CorsRule.__struct_fields__}
        if not self.resources:
            return {"/": general} if self.origins else {}
        return {
            path: general | convert(options, CorsRule).given()
            for path, options in self.resources.items()
        }

    def problems(self) -> Iterable[str]:
        """Name what is no origin, option or pattern, and credentials for everyone."""
        try:
            rules = self.rules()
        except ValidationError as error:
            yield f"CORS_RESOURCES: {error}."
            return
        for path, options in rules.items():
            place = f"CORS_RESOURCES[{path!r}]" if self.resources else "CORS_ORIGINS"
            yield from (f"{place}: {problem}" for problem in _problems(path, options))


class TemplatesSettings(Section):
    """Say where the templates are."""

    folder: Annotated[
        str | None,
        Meta(
            description="Folder of the templates, relative to the application's package; by "
            "default Flask's `template_folder`."
        ),
        Key(aliases=("APP_TEMPLATES_FOLDER",)),
    ] = None


def _network_problem(text: str) -> str | None:
    try:
        network_of(text)
    except ValueError as error:
        return f"{error}: write an address, a network such as '10.0.0.0/8', or '{UNIX}'."
    return None


def _problems(path: str, options: dict[str, Any]) -> Iterable[str]:
    for origin in options["origins"]:
        if not _is_origin(origin):
            yield (
                f"{origin!r} is no origin: write it as 'https://shop.example', in lower case, "
                "without a path and without the usual port."
            )
    for method in options["methods"]:
        if not _METHOD.fullmatch(method):
            yield f"{method!r} is no method: write it in capitals."
    for header in (*options["allow_headers"], *options["expose_headers"]):
        if not _TOKEN.fullmatch(header):
            yield f"{header!r} is no name of a header."
    if options["supports_credentials"]:
        yield from _credential_problems(options)
    try:
        re.compile(path)
    except re.error as error:
        yield f"that is no regular expression: {error}."


def _is_origin(text: str) -> bool:
    usual = _USUAL_PORTS.get(text.partition(":")[0])
    return bool(_ORIGIN.fullmatch(text)) and not (usual and text.endswith(usual))


def _credential_problems(options: dict[str, Any]) -> Iterable[str]:
    if "*" in options["origins"]:
        yield "credentials are not for everyone: name the origins instead of '*'."
    for what in ("methods", "expose_headers"):
        if "*" in options[what]:
            yield f"browsers take '*' for a name where credentials are sent: name the {what}."


def _words(value: Any) -> Any:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value
