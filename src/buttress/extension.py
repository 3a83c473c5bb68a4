"""The one protocol of extensions; how they are found, and in which order they are built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module, metadata
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, TypeVar

from buttress.errors import ExtensionError
from buttress.lifecycle import Deadline

if TYPE_CHECKING:
    from buttress.config import Section
    from buttress.service import Service

S = TypeVar("S")
T = TypeVar("T")

#: The canonical order, whatever order the caller listed. Third parties follow what they require.
EXTENSIONS = (
    "log", "web", "security", "cors", "templates", "health", "limiter", "cache", "db", "auth",
    "jwt", "auth0", "api", "peers", "mail", "queues", "pulse", "schedule", "metrics", "console",
)  # fmt: skip

#: What a service has when nothing is asked for: no extra package, no server.
DEFAULT_EXTENSIONS = ("log", "web", "security", "cors", "templates", "health")

#: Where the built-in ones are; the names of `EXTENSIONS` that are missing come with later versions.
BUILT_IN = {
    "log": "buttress.log.extension:LogExtension",
    "web": "buttress.web.extension:WebExtension",
    "security": "buttress.web.security:SecurityExtension",
    "cors": "buttress.web.cors:CorsExtension",
    "templates": "buttress.web.templates:TemplatesExtension",
    "health": "buttress.health.extension:HealthExtension",
    "limiter": "buttress.limiter.extension:LimiterExtension",
    "cache": "buttress.cache.extension:CacheExtension",
    "db": "buttress.db.extension:DbExtension",
    "auth": "buttress.auth.extension:AuthExtension",
    "jwt": "buttress.jwt.extension:JwtExtension",
    "auth0": "buttress.auth0.extension:Auth0Extension",
    "peers": "buttress.peers.extension:PeersExtension",
    "mail": "buttress.mail.extension:MailExtension",
    "queues": "buttress.queues.extension:QueuesExtension",
    "pulse": "buttress.pulse.extension:PulseExtension",
    "schedule": "buttress.schedule.extension:ScheduleExtension",
}

#: What extensions provide beside themselves, and which.
PROVIDED_BY = {
    "generate_password_hash": "auth",
    "check_password_hash": "auth",
    "argon2": "auth",
    "peer": "peers",
    "external": "peers",
    "get_ses_client": "mail",
    "send_sqs_message": "queues",
    "get_sqs_client": "queues",
    "get_sqs_queue_url": "queues",
}

ENTRY_POINTS = "buttress.extensions"


class Extension(Generic[S, T]):
    """A capability of a service: from settings ``S`` it builds ``T``, which becomes ``app.<name>``.

    Only `build` is required. State lives in ``app.extensions["buttress"][name]``, never here.
    """

    #: Attribute of the application and prefix of the keys; never an attribute of `flask.Flask`.
    name: ClassVar[str]
    settings: ClassVar[type[Section] | None] = None
    #: Further sections by their names, which are the prefixes of their keys.
    sections: ClassVar[Mapping[str, type[Section]]] = MappingProxyType({})
    #: Prefixes of foreign keys that are passed through to ``app.config``, such as ``RATELIMIT_``.
    reserves: ClassVar[tuple[str, ...]] = ()
    #: Attributes of what is built that the application has too, such as ``app.peer``.
    provides: ClassVar[tuple[str, ...]] = ()

    def requires(self, settings: S) -> tuple[str, ...]:
        """Name the extensions that must be built before this one."""
        return ()

    def build(self, app: Service, settings: S) -> T:
        """Make the object; open no socket and start no thread."""
        raise NotImplementedError(f"{type(self).__name__} must define build(app, settings)")

    def start(self, it: T) -> None:
        """Begin work in this process; called once per worker, after the fork."""

    def check(self, it: T) -> Mapping[str, Any] | None:
        """Raise `Unhealthy` where it does not work; called with an app context and a timeout.

        What it returns, such as progress and lag, is shown by the heartbeat and must be JSON.
        """
        return None

    def drain(self, it: T, deadline: Deadline) -> None:
        """Take no more work and finish what is there by the deadline; all drain at once."""

    def close(self, it: T) -> None:
        """Release everything; called always, in reverse order."""


Wanted: TypeAlias = "str | ModuleType | type[Extension[Any, Any]]"


class Slot:
    """An extension in its place in a service, with what it built."""

    def __init__(self, extension: Extension[Any, Any], it: Any) -> None:
        self.extension = extension
        self.it = it

    @property
    def name(self) -> str:
        """Give the name of the extension."""
        return self.extension.name

    @property
    def checked(self) -> bool:
        """Tell whether this extension has a health check of its own."""
        return type(self.extension).check is not Extension.check

    def start(self) -> None:
        self.extension.start(self.it)

    def check(self) -> Mapping[str, Any] | None:
        return self.extension.check(self.it)

    def drain(self, deadline: Deadline) -> None:
        self.extension.drain(self.it, deadline)

    def close(self) -> None:
        self.extension.close(self.it)


def load_extensions(wanted: Iterable[Wanted] | None) -> list[Extension[Any, Any]]:
    """Load what is wanted (``None``: the default set), in canonical order.

    Raises `ExtensionError` for a name that is unknown, given twice, or taken by Flask, and
    for a package that is missing.
    """
    if isinstance(wanted, str):
        raise ExtensionError(wanted, f"extensions={wanted!r}: write a list, [{wanted!r}].")
    loaded = [_load(item) for item in (DEFAULT_EXTENSIONS if wanted is None else wanted)]
    names = [extension.name for extension in loaded]
    for name in names:
        if names.count(name) > 1:
            raise ExtensionError(name, f"The extension '{name}' is given twice: name it once.")
    return sorted(loaded, key=lambda extension: _place(extension.name))


def in_required_order(
    extensions: Sequence[Extension[Any, Any]], settings_of: Callable[[str], Any]
) -> list[Extension[Any, Any]]:
    """Put each extension after those it requires; the canonical order stays where it can.

    Raises `ExtensionError` for a requirement that is missing or circular.
    """
    known = {extension.name: extension for extension in extensions}
    ordered: list[Extension[Any, Any]] = []

    def place(extension: Extension[Any, Any], chain: tuple[str, ...]) -> None:
        if extension.name in chain:
            ring = " → ".join((*chain[chain.index(extension.name) :], extension.name))
            raise ExtensionError(extension.name, f"Extensions require each other: {ring}.")
        if extension in ordered:
            return
        for name in extension.requires(settings_of(extension.name)):
            place(_required(known, name, extension), (*chain, extension.name))
        ordered.append(extension)

    for extension in extensions:
        place(extension, ())
    return ordered


def from_module(module: ModuleType) -> type[Extension[Any, Any]]:
    """Adapt the documented form: a module whose ``init_app(app)`` returns the object.

    Its ``start``, ``check``, ``drain`` and ``close`` are taken where it has them. Raises
    `ExtensionError` where ``init_app`` is missing.
    """
    name = module.__name__.rpartition(".")[2]
    if not callable(getattr(module, "init_app", None)):
        raise ExtensionError(
            name, f"The module '{module.__name__}' is no extension: it has no init_app(app)."
        )

    def build(_: Extension[Any, Any], app: Service, _settings: Any) -> Any:
        it = module.init_app(app)
        if it is None:
            raise ExtensionError(
                name, f"{module.__name__}.init_app(app) returned None: return what app.{name} is."
            )
        return it

    hooks = {
        hook: staticmethod(getattr(module, hook))
        for hook in ("check", "start", "drain", "close")
        if callable(getattr(module, hook, None))
    }
    return type(f"{name.title()}Module", (Extension,), {"name": name, "build": build, **hooks})


def _load(item: Wanted) -> Extension[Any, Any]:
    found: object = _find(item) if isinstance(item, str) else item
    if isinstance(found, ModuleType):
        found = from_module(found)
    if not (isinstance(found, type) and issubclass(found, Extension)):
        raise ExtensionError(
            str(item), f"{item!r} is no extension: give a name, a module or an Extension class."
        )
    if not isinstance(getattr(found, "name", None), str) or not found.name.isidentifier():
        raise ExtensionError(str(item), f"{found.__qualname__} needs a `name` that is a word.")
    return found()


def _find(name: str) -> object:
    if name in BUILT_IN:
        return _import(name, BUILT_IN[name])
    if "." in name or ":" in name:
        return _import(name, name)
    for entry in metadata.entry_points(group=ENTRY_POINTS, name=name):
        return _import(name, entry.value)
    if name in EXTENSIONS:
        raise ExtensionError(name, f"This version of Buttress has no extension '{name}' yet.")
    raise ExtensionError(name, _unknown(name))


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    others = sorted(
        {*BUILT_IN, *(entry.name for entry in metadata.entry_points(group=ENTRY_POINTS))}
    )
    near = get_close_matches(name, others, 1)
    hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(others)}."
    return f"There is no extension '{name}'. {hint}"


def _import(name: str, target: str) -> object:
    module, _, attribute = target.partition(":")
    try:
        found: object = import_module(module)
    except ModuleNotFoundError as error:
        raise ExtensionError(name, _missing(name, module, error)) from error
    if attribute and not hasattr(found, attribute):
        raise ExtensionError(name, f"The extension '{name}': {module} has no '{attribute}'.")
    return getattr(found, attribute) if attribute else found


def _missing(name: str, module: str, error: ModuleNotFoundError) -> str:
    lacking = error.name or str(error)
    if module == lacking or module.startswith(f"{lacking}."):
        return f"There is no module '{lacking}' for the extension '{name}': check the spelling."
    if name in BUILT_IN:
        return (
            f"The extension '{name}' needs the package '{lacking}': pip install 'buttress[{name}]'."
        )
    return f"The extension '{name}' needs the package '{lacking}': install it."


def _required(
    known: dict[str, Extension[Any, Any]], name: str, by: Extension[Any, Any]
) -> Extension[Any, Any]:
    if name not in known:
        raise ExtensionError(
            by.name, f"The extension '{by.name}' requires '{name}': add it to extensions=[…]."
        )
    return known[name]


def _place(name: str) -> int:
    return EXTENSIONS.index(name) if name in EXTENSIONS else len(EXTENSIONS)
