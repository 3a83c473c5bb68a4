"""Settings of the web edge: errors, security headers, CORS and templates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, ValidationError, convert, field
from msgspec.structs import asdict

from buttress.config import Key, Section

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/\s*?#@A-Z]+")
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

    def problems(self) -> Iterable[str]:
        """Name a header that cannot be one, or that says something else of every request."""
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
    content_policy: Annotated[
        str, Meta(description="The header `Content-Security-Policy` of answers that are not HTML.")
    ] = "default-src 'none'; frame-ancestors 'none'"
    page_policy: Annotated[
        str, Meta(description="The header `Content-Security-Policy` of HTML pages.")
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
            if _CONTROL.search(getattr(self, name)):
                yield f"SECURITY_{name.upper()} holds a control character: write it on one line."


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


def _problems(path: str, options: dict[str, Any]) -> Iterable[str]:
    for origin in options["origins"]:
        if not _ORIGIN.fullmatch(origin):
            yield f"{origin!r} is no origin: write it as 'https://shop.example'."
    if "*" in options["origins"] and options["supports_credentials"]:
        yield "credentials are not for everyone: name the origins instead of '*'."
    try:
        re.compile(path)
    except re.error as error:
        yield f"that is no regular expression: {error}."


def _words(value: Any) -> Any:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value
