"""The settings that every service has, and the tree of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from buttress.config.registry import hint, nearest
from buttress.config.secret import Secret
from buttress.config.section import Section, SectionSpec

if TYPE_CHECKING:
    from buttress.auth.ldap.settings import LdapSettings
    from buttress.auth.settings import AuthSettings
    from buttress.auth.users.proxy_settings import ProxySettings
    from buttress.auth0.settings import Auth0Settings
    from buttress.cache.settings import CacheSettings
    from buttress.db.settings import DbSettings
    from buttress.health.settings import HealthSettings
    from buttress.jwt.settings import JwtSettings
    from buttress.limiter.settings import LimiterSettings
    from buttress.log.settings import LogSettings
    from buttress.mail.settings import MailSettings
    from buttress.peers.settings import PeersSettings
    from buttress.pulse.settings import PulseSettings
    from buttress.queues.settings import QueuesSettings
    from buttress.schedule.settings import ScheduleSettings
    from buttress.serving.settings import ServingSettings
    from buttress.web.settings import (
        CorsSettings,
        SecuritySettings,
        TemplatesSettings,
        WebSettings,
    )

_SAME_SITE = ("Lax", "Strict", "None")

_LONGEST = timedelta(days=36_525)

Mode = Literal["production", "development", "testing"]

Size = Annotated[int, Meta(ge=0)]
"""How much of something there may be; 0 is allowed."""

_Server = Annotated[
    str,
    Meta(
        pattern=r"^(?:\[[0-9A-Fa-f:.]+\]|(?:[^\s./:?#@\[\]\\]{1,63}(?:\.|(?=:|\Z)))+)(?::[0-9]{1,5})?\Z",
        title="as host or host:port",
    ),
]


class ServiceSettings(Section):
    """Say how the service is run."""

    mode: Annotated[
        Mode,
        Meta(description="How the service is run; decides DEBUG, TESTING and many defaults."),
    ] = "production"


class FlaskSettings(Section):
    """Type the keys that Flask itself reads; but for careful session cookies, with its defaults."""

    debug: Annotated[bool | None, Meta(description="Flask's debug flag; follows MODE.")] = None
    testing: Annotated[bool | None, Meta(description="Flask's testing flag; follows MODE.")] = None
    propagate_exceptions: Annotated[
        bool | None,
        Meta(
            description="Raise exceptions instead of answering with error pages; by default only "
            "in testing."
        ),
    ] = None
    secret_key: Annotated[
        Secret | None, Meta(description="Signs sessions and whatever else the service signs.")
    ] = None
    secret_key_fallbacks: Annotated[
        list[Secret] | None,
        Meta(description="Old secret keys that still verify signatures, most recent first."),
    ] = None
    permanent_session_lifetime: Annotated[
        timedelta, Meta(description="How long a permanent session lasts, in seconds.")
    ] = timedelta(days=31)
    session_cookie_name: Annotated[
        str,
        Meta(
            pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z",
            title="without spaces and separators (a token of RFC 9110)",
            description="Name of the session cookie.",
        ),
    ] = "session"
    session_cookie_domain: Annotated[
        str | None, Meta(description="Domain of the session cookie; by default this host only.")
    ] = None
    session_cookie_path: Annotated[
        str | None, Meta(description="Path of the session cookie; by default APPLICATION_ROOT.")
    ] = None
    session_cookie_httponly: Annotated[
        bool, Meta(description="Hide the session cookie from scripts.")
    ] = True
    session_cookie_secure: Annotated[
        bool | None,
        Meta(description="Send the session cookie over HTTPS only; by default in production."),
    ] = None
    session_cookie_partitioned: Annotated[
        bool, Meta(description="Partition the session cookie by top-level site; implies secure.")
    ] = False
    session_cookie_samesite: Annotated[
        str | None,
        Meta(description="SameSite attribute of the session cookie: Lax, Strict or None."),
    ] = "Lax"
    session_refresh_each_request: Annotated[
        bool, Meta(description="Renew a permanent session's cookie with every answer.")
    ] = True
    use_x_sendfile: Annotated[
        bool, Meta(description="Let the web server in front send files (X-Sendfile).")
    ] = False
    send_file_max_age_default: Annotated[
        timedelta | None, Meta(description="Cache age of files that are sent, in seconds.")
    ] = None
    trusted_hosts: Annotated[
        list[str] | None,
        Meta(description="Host names that requests may name; a leading dot admits subdomains."),
    ] = None
    server_name: Annotated[
        _Server | None,
        Meta(description="Host name, with port if needed, of URLs made outside requests."),
    ] = None
    application_root: Annotated[
        str,
        Meta(
            pattern="^/",
            title="beginning with /",
            description="Path under which the service is mounted.",
        ),
    ] = "/"
    preferred_url_scheme: Annotated[
        str, Meta(description="Scheme of URLs made outside requests.")
    ] = "http"
    max_content_length: Annotated[
        Size | None, Meta(description="Largest request body, in bytes.")
    ] = None
    max_form_memory_size: Annotated[
        Size | None, Meta(description="Largest form field that is not a file, in bytes.")
    ] = 500_000
    max_form_parts: Annotated[
        Size | None, Meta(description="Most fields in one multipart form.")
    ] = 1_000
    max_cookie_size: Annotated[
        Size, Meta(description="Warn of cookies larger than this, in bytes; 0 never warns.")
    ] = 4093
    trap_bad_request_errors: Annotated[
        bool | None, Meta(description="Raise on a missing form key; by default as DEBUG.")
    ] = None
    trap_http_exceptions: Annotated[
        bool, Meta(description="Raise HTTP errors instead of answering with them.")
    ] = False
    explain_template_loading: Annotated[
        bool, Meta(description="Log where templates are looked for.")
    ] = False
    templates_auto_reload: Annotated[
        bool | None, Meta(description="Reload templates that change; by default as DEBUG.")
    ] = None
    provide_automatic_options: Annotated[
        bool, Meta(description="Answer OPTIONS on every route.")
    ] = True

    def problems(self) -> Iterable[str]:
        """Refuse what would fail when the first session cookie is set, or a file is sent."""
        chosen = self.session_cookie_samesite
        if chosen is not None and chosen.title() not in _SAME_SITE:
            yield f"SESSION_COOKIE_SAMESITE is {chosen!r}, but must be one of Lax, Strict, None"
        for name in ("permanent_session_lifetime", "send_file_max_age_default"):
            duration = getattr(self, name)
            if duration is not None and not timedelta(0) <= duration <= _LONGEST:
                yield (
                    f"{name.upper()} is {duration.total_seconds():.15g} seconds, but must be "
                    f"at least 0 and at most {_LONGEST.total_seconds():.15g}, a century"
                )


CORE = (
    SectionSpec("service", ServiceSettings, prefix=""),
    SectionSpec("flask", FlaskSettings, prefix=""),
)


class Settings:
    """Give every section by name, typed: ``settings.service.mode``."""

    __slots__ = ("_sections",)

    if TYPE_CHECKING:
        service: ServiceSettings
        flask: FlaskSettings
        serving: ServingSettings
        log: LogSettings
        web: WebSettings
        security: SecuritySettings
        cors: CorsSettings
        templates: TemplatesSettings
        health: HealthSettings
        cache: CacheSettings
        db: DbSettings
        limiter: LimiterSettings
        auth: AuthSettings
        auth_ldap: LdapSettings
        auth_proxy: ProxySettings
        jwt: JwtSettings
        auth0: Auth0Settings
        peers: PeersSettings
        mail: MailSettings
        queues: QueuesSettings
        pulse: PulseSettings
        schedule: ScheduleSettings

    def __init__(self, sections: Mapping[str, Section]) -> None:
        self._sections = dict(sections)

    def __getattr__(self, name: str) -> Any:
        sections = object.__getattribute__(self, "_sections")
        try:
            return sections[name]
        except KeyError:
            raise AttributeError(_absent(name, sections), name=name, obj=self) from None

    def __iter__(self) -> Iterator[tuple[str, Section]]:
        return iter(self._sections.items())

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._sections]


def _absent(name: str, sections: Mapping[str, Section]) -> str:
    guess = hint(nearest(name, sections))
    return f"no extension of this application has settings called {name!r}{guess}"
